#include <fmt/core.h>

#include "layers/eval_trace.h"
#include "layers/loss_args.h"
#include "layers/out_type.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// A Data for Python code, with its tensor and lengths.
Value python_data(const LayerOutput& output, Expr lengths) {
  Value data = data_value(output.data, 0).with("placeholder", traced(output.expr));
  if (!lengths.defined()) {
    return data;
  }
  const int axis = output.data.time_axis - (output.data.batch_axis() < output.data.time_axis ? 1 : 0);
  return data.with("lengths", traced(lengths))
      .with("size_placeholder", Value::dict({{Value::of(static_cast<int64_t>(axis)), traced(lengths)}}));
}

/// What divides the loss, from custom_norm_factor(self=, output=, layer=): traced, so that it may depend on the batch.
Value result_of_norm_function(const Value& function, const LayerPlan& plan, const LossContext& context) {
  const GraphTrace trace(*context.graph);
  const Value output = python_data(context.output, context.output_lengths);
  const auto optional = [](Expr x) { return x.defined() ? traced(x) : Value(); };
  const Value layer =
      Value::dict({{Value::of("__wende_layer__"), Value::of(plan.name)}, {Value::of("output"), output}});
  const Value target = context.target.expr.defined() ? python_data(context.target, context.target_lengths) : Value();
  const Value self = Value::dict({{Value::of("__wende_layer__"), Value::of(plan.loss_name)},
                                  {Value::of("output"), output},
                                  {Value::of("layer"), layer},
                                  {Value::of("target"), target},
                                  {Value::of("output_seq_lens"), optional(context.output_lengths)},
                                  {Value::of("target_seq_lens"), optional(context.target_lengths)},
                                  {Value::of("scale"), Value::of(plan.loss->scale)}});
  const Value result = function.as_callable().call({}, {{"self", self}, {"output", output}, {"layer", layer}});
  if (!result.is_number() && !is_traced(result)) {
    throw function.error("custom_norm_factor must be a number or a function that returns one, got " + result.repr());
  }
  return result;
}

}  // namespace

/// The loop of a search has no losses inside.
static bool searched(const LayerPlan& plan) {
  for (const NetworkLevel* level = plan.level; level; level = level->parent) {
    if (level->unit && level->unit->search) return true;
  }
  return false;
}

void NetworkConstruction::make_loss(LayerPlan& plan) {
  const Value* name = plan.options.find("loss");
  const Value* scale = plan.options.find("loss_scale");
  const Value* opts = plan.options.find("loss_opts");
  if (!truthy(name)) {
    if (scale && !scale->is_none() && scale->as_float() != 1.0) {
      throw scale->error("loss_scale is set but the layer has no loss");
    }
    if (opts && opts->is_dict() && !opts->entries().empty()) {
      throw opts->error("loss_opts are set but the layer has no loss");
    }
    return;
  }
  const bool of_hypotheses = options_.search && searched(plan);
  if (of_hypotheses && !real_->options_.search && !flag(plan.options, "loss_only_on_non_search", false)) {
    throw name->error("a loss in the loop of an extra net that searches is not supported by Wende " WENDE_VERSION)
        .hint("set loss_only_on_non_search, or give the extra net's layer a dict of its own without losses");
  }
  const bool hidden = options_.search && (flag(plan.options, "loss_only_on_non_search", false) || of_hypotheses);
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

/// Frames of the target, else of the output, else sequences, else 1. Static time axes count in full.
Expr NetworkConstruction::inverse_norm(const LayerPlan& plan, const LossContext& context, bool& constant) {
  const Value& factor = plan.loss->custom_norm_factor;
  if (!factor.is_none()) {
    const Value number = factor.is_callable() ? result_of_norm_function(factor, plan, context) : factor;
    const Expr norm = ops::cast(traced_expr(*plan.level->graph, number), DType::kFloat32);
    if (norm.rank() != 0) {
      throw factor.error("custom_norm_factor must return one number, got " + norm.type().str());
    }
    constant = number.is_number();
    return constant ? ops::constant(*plan.level->graph, 1.0 / number.as_float())
                    : ops::div(ops::constant(*plan.level->graph, 1.0), norm);
  }
  if (const Expr own = plan.loss->inverse_norm(context); own.defined()) {
    return own;
  }
  for (const Expr& sizes : {context.target_lengths, context.output_lengths}) {
    if (sizes.defined()) {
      return ops::cast(ops::sum_all(sizes), DType::kFloat32);
    }
  }
  const Data& out = context.output.data;
  double frames = 1.0;
  if (out.has_time() && out.has_batch() && out.time_dim().is_static()) {
    frames = static_cast<double>(out.time_dim().size());
  }
  if (!out.has_batch()) {
    return ops::constant(*plan.level->graph, frames);
  }
  const Dim& rows = out.dims[static_cast<size_t>(out.batch_axis())];  // of merged axes: with padded frames
  return ops::sum_all(ops::constant(*plan.level->graph, frames, DType::kFloat32, {rows}));
}

void NetworkConstruction::add_custom_norm(LayerPlan& plan, NetworkLoss& loss) {
  const Value& layer_name = plan.loss->custom_inv_norm_factor;
  if (layer_name.is_none()) {
    return;
  }
  const BuiltLayer& layer = resolve(*plan.level, layer_name.as_string(), layer_name);
  const Expr values = ops::cast(layer.output.expr, DType::kFloat32);
  loss.inv_norm = ops::sum_all(valid_frames_only(*plan.level, layer.output, values));
}

void NetworkConstruction::add_loss(LayerPlan& plan, BuiltLayer& built) {
  if (!plan.loss || !options_.eval) {
    return;
  }
  const Value& place = *plan.options.find("loss");
  LossContext context = loss_context(plan, built);
  context.silenced = options_.train && flag(plan.options, "only_on_eval", false);
  LossValue value;
  NetworkLoss loss;
  try {
    if (context.target.expr.defined()) {
      plan.loss->check(built.output.data, plan.targets.front().data);
    }
    value = plan.loss->build(context);
    loss.inv_norm = inverse_norm(plan, context, loss.constant_norm);
    add_custom_norm(plan, loss);
  } catch (Error& error) {
    place_at(error, place);
    throw;
  }
  loss.name = built.name;
  loss.value = value.value;
  loss.error = value.error;
  loss.scale = plan.loss->scale;
  loss.use_normalized = plan.loss->use_normalized_loss;
  loss.silenced = context.silenced;
  // Factor 0 instead of no loss: the parameters get zero gradients, so that optimisers treat them as RETURNN does.
  if (context.silenced) {
    loss.value = loss.value.defined() ? ops::scale(loss.value, 0.0) : Expr{};
    loss.error = loss.error.defined() ? ops::scale(loss.error, 0.0) : Expr{};
  }
  if (loss.value.defined() && loss.scale != 0.0) {
    loss.objective = loss.scale == 1.0 ? loss.value : ops::scale(loss.value, loss.scale);
    if (loss.use_normalized) {
      loss.objective =
          ops::div(loss.objective, loss.constant_norm ? loss.inv_norm : global_sum(loss.inv_norm, loss.name));
    }
  }
  network_->losses_.push_back(std::move(loss));
}

}  // namespace wende
