#include <fmt/core.h>

#include <set>

#include "network/construction.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

bool given(const Value* value) {
  return value && !value->is_none() && !(value->is_string() && value->as_string().empty());
}

Expr sum_all(Expr x) {
  std::vector<int> axes;
  for (int i = 0; i < x.rank(); ++i) {
    axes.push_back(i);
  }
  return axes.empty() ? x : ops::reduce(ops::Reduction::kSum, x, axes);
}

/// Losses that compare sequences: the target has lengths of its own.
bool is_sequence_loss(const std::string& name) {
  static const std::set<std::string> kNames = {"ctc",           "edit_distance", "bleu",
                                               "expected_loss", "fast_bw",       "search_score"};
  return kNames.count(name) != 0;
}

/// The target as if its time axis were the output's: frames are compared by lengths, not by the identity of dims.
LayerOutput with_time_of(LayerOutput target, const Data& output) {
  if (!target.data.has_time() || !output.has_time() || target.data.time_dim() == output.time_dim()) {
    return target;
  }
  target.data.dims[static_cast<size_t>(target.data.time_axis)] = output.time_dim();
  target.expr = ops::reshape(target.expr, target.data.dims);
  return target;
}

}  // namespace

void NetworkConstruction::make_loss(LayerPlan& plan) {
  const Value* name = plan.options.find("loss");
  const Value* scale = plan.options.find("loss_scale");
  const Value* opts = plan.options.find("loss_opts");
  if (!given(name)) {
    if (scale && !scale->is_none() && scale->as_float() != 1.0) {
      throw scale->error("loss_scale is set but the layer has no loss");
    }
    if (opts && opts->is_dict() && !opts->entries().empty()) {
      throw opts->error("loss_opts are set but the layer has no loss");
    }
    return;
  }
  const bool hidden = options_.search && flag(plan.options, "loss_only_on_non_search", false);
  const LossClass* entry = LossRegistry::instance().find(name->as_string());
  if (!entry) {
    const std::vector<std::string> names = LossRegistry::instance().names();
    std::string list;
    for (const std::string& known : names) {
      list += (list.empty() ? "" : ", ") + known;
    }
    throw name->error(fmt::format("unknown loss '{}'; known are {}", name->as_string(), list))
        .hint(did_you_mean(name->as_string(), names));
  }
  if (hidden) {
    return;
  }
  plan.loss_name = entry->name;
  try {
    plan.loss = entry->make(opts && !opts->is_none() ? *opts : Value::dict({}).placed(name->span(), name->path()));
  } catch (Error& error) {
    place_at(error, opts ? *opts : *name);
    throw;
  }
  if (scale && !scale->is_none()) {
    const Value* inner = opts && opts->is_dict() ? opts->find("scale") : nullptr;
    if (inner && inner->as_float() != scale->as_float()) {
      throw scale->error(fmt::format("loss_scale {} and loss_opts['scale'] {} differ", scale->repr(), inner->repr()));
    }
    plan.loss->scale = scale->as_float();
  }
}

LossContext NetworkConstruction::loss_context(LayerPlan& plan, const BuiltLayer& built) {
  LossContext context;
  context.graph = plan.level->graph;
  context.output = built.output;
  context.train = options_.train;
  if (const auto logits = built.sub_outputs.find("logits"); logits != built.sub_outputs.end()) {
    context.logits = logits->second;
  }
  for (const char* kind : {"softmax", "log_softmax", "sigmoid"}) {
    if (built.sub_outputs.count(std::string("logits:") + kind) != 0) {
      context.activation_of_logits = kind;
    }
  }
  const Data& out = built.output.data;
  const bool sequences = out.has_batch() && out.has_time() && out.time_dim().is_dynamic();
  if (sequences) {
    context.frame_mask = mask(*plan.level, out.time_dim(), out.time_axis < out.batch_axis());
    context.output_lengths = lengths(*plan.level, out.time_dim());
  }
  if (!plan.targets.empty() && (plan.loss->needs_target() || given(plan.options.find("target")))) {
    context.target = target_output(*plan.level, plan.targets.front());
    const Data& target = context.target.data;
    if (target.has_batch() && target.has_time() && target.time_dim().is_dynamic()) {
      context.target_lengths = lengths(*plan.level, target.time_dim());
    }
    if (!is_sequence_loss(plan.loss_name)) {
      context.target = with_time_of(context.target, out);
    }
  }
  return context;
}

/// Number of target frames, else of output frames, else of sequences.
Expr NetworkConstruction::inverse_norm(const LayerPlan& plan, const LossContext& context) {
  const Value& factor = plan.loss->custom_norm_factor;
  if (factor.is_number()) {
    return ops::constant(*plan.level->graph, 1.0 / factor.as_float());
  }
  if (!factor.is_none()) {
    throw factor.error("custom_norm_factor must be a number; functions are not supported by Wende " WENDE_VERSION);
  }
  for (const Expr& sizes : {context.target_lengths, context.output_lengths}) {
    if (sizes.defined()) {
      return ops::cast(sum_all(sizes), DType::kFloat32);
    }
  }
  return sum_all(ops::constant(*plan.level->graph, 1.0, DType::kFloat32, {batch_}));
}

void NetworkConstruction::add_custom_norm(LayerPlan& plan, NetworkLoss& loss) {
  const Value& layer_name = plan.loss->custom_inv_norm_factor;
  if (layer_name.is_none()) {
    return;
  }
  const BuiltLayer& layer = resolve(*plan.level, layer_name.as_string(), layer_name);
  const Expr values = ops::cast(layer.output.expr, DType::kFloat32);
  loss.inv_norm = sum_all(valid_frames_only(*plan.level, layer.output, values));
}

void NetworkConstruction::add_loss(LayerPlan& plan, BuiltLayer& built) {
  if (!plan.loss || !options_.eval) {
    return;
  }
  const Value& place = *plan.options.find("loss");
  LossContext context = loss_context(plan, built);
  LossValue value;
  NetworkLoss loss;
  try {
    if (context.target.expr.defined()) {
      plan.loss->check(built.output.data, plan.targets.front().data);
    }
    value = plan.loss->build(context);
    loss.inv_norm = inverse_norm(plan, context);
    add_custom_norm(plan, loss);
  } catch (Error& error) {
    place_at(error, place);
    throw;
  }
  built.loss_frames = value.frame_values;
  loss.name = built.name;
  loss.value = value.value;
  loss.error = value.error;
  loss.scale = plan.loss->scale;
  loss.use_normalized = plan.loss->use_normalized_loss;
  // Factor 0 instead of no loss: the parameters get zero gradients, so that optimisers treat them as RETURNN does.
  if (options_.train && flag(plan.options, "only_on_eval", false)) {
    loss.value = loss.value.defined() ? ops::scale(loss.value, 0.0) : Expr{};
    loss.error = loss.error.defined() ? ops::scale(loss.error, 0.0) : Expr{};
  }
  if (loss.value.defined() && loss.scale != 0.0) {
    loss.objective = loss.scale == 1.0 ? loss.value : ops::scale(loss.value, loss.scale);
    if (loss.use_normalized) {
      loss.objective = ops::div(loss.objective, loss.inv_norm);
    }
  }
  network_->losses_.push_back(std::move(loss));
}

}  // namespace wende
