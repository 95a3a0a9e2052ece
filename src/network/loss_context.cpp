#include "network/construction.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The target as if its time axis, or its rows of merged frames, were the output's: frames are compared by their
/// number, not by the identity of dims.
LayerOutput with_frames_of(LayerOutput target, const Data& output) {
  std::vector<Dim> dims = target.data.dims;
  if (target.data.has_time() && output.has_time()) {
    dims[static_cast<size_t>(target.data.time_axis)] = output.time_dim();
  }
  if (target.data.has_batch() && output.has_batch()) {
    dims[static_cast<size_t>(target.data.batch_axis())] = output.dims[static_cast<size_t>(output.batch_axis())];
  }
  if (dims != target.data.dims) {
    target.data.dims = std::move(dims);
    target.expr = ops::reshape(target.expr, target.data.dims);
  }
  return target;
}

bool has_sequences(const Data& data) { return data.has_batch() && data.has_time() && data.time_dim().is_dynamic(); }

}  // namespace

void NetworkConstruction::add_target(const LayerPlan& plan, LossContext& context) {
  if (plan.targets.empty() || !(plan.loss->needs_target() || truthy(plan.options.find("target")))) {
    return;
  }
  context.target = target_output(*plan.level, plan.targets.front());
  if (has_sequences(context.target.data)) {
    context.target_lengths = lengths(*plan.level, context.target.data.time_dim(), context.batch);
  }
  context.target = in_batch(context.batch, context.target);
  if (!plan.loss->compares_sequences()) {
    context.target = with_frames_of(context.target, context.output.data);
  }
}

LossContext NetworkConstruction::loss_context(LayerPlan& plan, const BuiltLayer& built) {
  LossContext context;
  context.graph = plan.level->graph;
  context.output = built.output;
  context.activated = built.output;
  context.train = options_.train;
  context.behavior_version = options_.behavior_version;
  context.ctc_zero_infinity = config_.get_bool("tf_native_ctc_zero_infinity", options_.behavior_version >= 30);
  context.random_key = name_hash(built.name + "/loss");
  const Data& output = built.output.data;
  context.batch = output.has_batch() ? output.dims[static_cast<size_t>(output.batch_axis())] : batch_;
  context.beam = built.beam.get();
  for (const auto& [key, output] : built.sub_outputs) {
    if (key == "logits") {
      context.logits = output;
    } else if (key.starts_with("logits:")) {
      context.activation_of_logits = key.substr(7);
    } else if (key == "before_activation") {
      context.before_activation = output;
    } else if (key == "activated") {
      context.activated = output;
    }
  }
  if (has_sequences(built.output.data)) {
    const Data& out = built.output.data;
    context.frame_mask = mask(*plan.level, out.time_dim(), out.time_axis < out.batch_axis(), context.batch);
    context.output_lengths = lengths(*plan.level, out.time_dim(), context.batch);
  }
  add_target(plan, context);
  if (plan.loss->needs_layer_input()) {
    context.layer_input = joined_input(plan);
  }
  for (const auto& [local, name] : built.params) {
    context.params[local] = network_->param_expr(name);
  }
  for (const std::string& name : plan.loss->refs()) {
    const BuiltLayer& layer = resolve(*plan.level, name, *plan.options.find("loss"));
    context.refs[name] = layer.output;
    if (const auto loss = layer.sub_outputs.find("output_loss"); loss != layer.sub_outputs.end()) {
      context.output_losses[name] = loss->second.expr;
    }
  }
  return context;
}

}  // namespace wende
