#include <fmt/core.h>

#include <algorithm>

#include "layers/dim_tag.h"
#include "layers/eval_trace.h"
#include "layers/out_type.h"
#include "network/construction.h"
#include "ops/check.h"
#include "ops/print.h"
#include "ops/shape.h"

namespace wende {
namespace {

bool shared_with_source(const Dim& dim, const std::vector<Data>& sources) {
  return std::any_of(sources.begin(), sources.end(), [&](const Data& source) {
    return source.axis_of(dim) >= 0 || (source.sparse() && source.sparse_dim == dim);
  });
}

/// out_dim names the feature (or sparse) dim. A dim taken over from the source is replaced: tags tell them apart.
void name_feature_dim(const Value& tag, const std::vector<Data>& sources, Data& out) {
  if (axis_of_tag(out, tag) >= 0 || (out.sparse() && dim_matches_tag(out.sparse_dim, tag))) {
    return;
  }
  if (!out.sparse() && out.feature_axis < 0) {
    throw tag.error(fmt::format("out_dim {}: the output {} has no feature axis", tag_text(tag), out.str()));
  }
  Dim& dim = out.sparse() ? out.sparse_dim : out.dims[static_cast<size_t>(out.feature_axis)];
  if (shared_with_source(dim, sources) && dim.is_static()) {
    dim = Dim::fixed(dim.size(), dim.kind(), dim.name());
  }
  declare_tag(dim, tag);
}

/// out_shape: a set of dim tags; ("optional", tag) may be missing, ("implicit", tag) is the sparse dim or belongs to
/// lengths.
void verify_out_shape(const Value& shape, const Data& out) {
  std::vector<Dim> rest = out.dims;
  for (const Value& entry : shape.items()) {
    const bool marked = entry.kind() == Value::Kind::kTuple && entry.items().size() == 2;
    const Value& tag = marked ? entry.items()[1] : entry;
    if (tag.kind() != Value::Kind::kDim) {
      throw entry.error("out_shape is a set of dim tags, got " + entry.repr());
    }
    const auto found =
        std::find_if(rest.begin(), rest.end(), [&](const Dim& dim) { return dim_matches_tag(dim, tag); });
    if (found != rest.end()) {
      rest.erase(found);
    } else if (!marked) {
      throw shape.error(fmt::format("out_shape: {} is not in the output {}", tag_text(tag), out.str()));
    } else if (entry.items()[0].as_string() == "implicit" && !(out.sparse() && dim_matches_tag(out.sparse_dim, tag))) {
      throw shape.error(fmt::format("out_shape: {} is not an implicit dim of the output {}", tag_text(tag), out.str()));
    }
  }
  if (!rest.empty()) {
    throw shape.error(
        fmt::format("out_shape does not have the axis {} of the output {}", rest.front().str(), out.str()));
  }
}

}  // namespace

/// in_dim: that axis of the only source acts as its feature axis.
void NetworkConstruction::resolve_in_dim(LayerPlan& plan) {
  const Value* tag = given(plan.options, "in_dim");
  if (!tag) {
    return;
  }
  if (plan.sources.size() != 1) {
    throw tag->error(fmt::format("in_dim needs exactly one source, layer '{}' has {}", plan.name, plan.sources.size()));
  }
  Data& source = plan.context.sources.front();
  const int axis = axis_of_tag(source, *tag);
  const bool is_sparse_dim = source.sparse() && dim_matches_tag(source.sparse_dim, *tag);
  if (axis < 0 && !is_sparse_dim) {
    throw tag->error(
        fmt::format("in_dim {} is not an axis of the input {} {}", tag_text(*tag), source.name, source.str()));
  }
  if (axis >= 0 && axis != source.feature_axis) {
    source.feature_axis = axis;
    source.time_axis = source.time_axis == axis ? -1 : source.time_axis;
    auto adapted = std::make_unique<BuiltLayer>(*plan.sources.front());
    adapted->output.data = source;
    plan.sources.front() = adapted.get();
    adapted_sources_.push_back(std::move(adapted));
  }
}

/// What the general options say about the template that the layer's class made.
void NetworkConstruction::apply_output_options(const LayerPlan& plan, Data& out) {
  if (const Value* tag = given(plan.options, "out_dim")) {
    name_feature_dim(*tag, plan.context.sources, out);
  }
  if (const Value* type = given(plan.options, "out_type")) {
    verify_out_type(*type, plan.context, out);
  }
  if (const Value* shape = given(plan.options, "out_shape")) {
    verify_out_shape(*shape, out);
  }
}

/// size_target: the lengths of the output are those of this target, outside of loops (a loop takes it as its length).
void NetworkConstruction::apply_size_target(const LayerPlan& plan, BuiltLayer& built) {
  const Value* name = given(plan.options, "size_target");
  if (!name || !options_.eval || plan.class_name == "rec" || !built.output.data.has_time()) {
    return;
  }
  const TargetRef target = target_ref(*plan.level, name->as_string(), *name, plan.name);
  if (!target.data.has_time()) {
    throw name->error(fmt::format("size_target '{}' has no time axis: {}", name->as_string(), target.data.str()));
  }
  Data& out = built.output.data;
  Dim& time = out.dims[static_cast<size_t>(out.time_axis)];
  if (time == target.data.time_dim()) {
    return;
  }
  if (time.is_static()) {
    throw name->error(
        fmt::format("size_target '{}': the time axis of {} has a fixed size", name->as_string(), out.str()));
  }
  target_output(*plan.level, target);  // its lengths must be fed
  const Dim before = time;
  time = target.data.time_dim();
  built.output.expr = ops::reshape(built.output.expr, out.dims);
  for (auto& [key, part] : built.sub_outputs) {  // what the loss takes instead: logits
    const int axis = part.data.time_axis;
    if (key.starts_with("logits") && part.expr.defined() && axis >= 0 &&
        part.data.dims[static_cast<size_t>(axis)] == before) {
      part.data.dims[static_cast<size_t>(axis)] = time;
      part.expr = ops::reshape(part.expr, part.data.dims);
    }
  }
}

/// The loss per frame that a layer such as fast_bw has beside its output.
void NetworkConstruction::copy_output_loss(const LayerPlan& plan, BuiltLayer& built) const {
  const Value* index = given(plan.options, "copy_output_loss_from_source_idx");
  if (!index) {
    return;
  }
  const int64_t i = index->as_int();
  const auto count = static_cast<int64_t>(plan.sources.size());
  if (i < -count || i >= count) {
    throw index->error(
        fmt::format("copy_output_loss_from_source_idx {}: the layer has {} source{}", i, count, count == 1 ? "" : "s"));
  }
  const auto& outputs = plan.sources[static_cast<size_t>(i < 0 ? i + count : i)]->sub_outputs;
  if (const auto loss = outputs.find("output_loss"); loss != outputs.end()) {
    built.sub_outputs["output_loss"] = loss->second;
  }
}

/// control_dependencies_on_output: a function of the layer whose assertions must hold before the output is used.
void NetworkConstruction::check_output(const LayerPlan& plan, BuiltLayer& built) {
  const Value* function = given(plan.options, "control_dependencies_on_output");
  if (!function || !built.output.expr.defined()) {
    return;
  }
  TraceLayer traced_layer;
  traced_layer.train = options_.train;
  const GraphTrace trace(*plan.level->graph, &traced_layer);
  const Value output = data_value(built.output.data, 0).with("placeholder", traced(built.output.expr));
  function->as_callable().call(
      {Value::dict({{Value::of("__wende_layer__"), Value::of(built.name)}, {Value::of("output"), output}})}, {});
  for (const auto& [holds, message] : traced_layer.checks) {
    built.output.expr = ops::checked(built.output.expr, holds, fmt::format("layer '{}': {}", built.name, message));
  }
}

/// True, or a dict with options of the printing; the config option of the same name is the default.
void NetworkConstruction::print_output(const LayerPlan& plan, BuiltLayer& built) const {
  const Value* option = plan.options.find("debug_print_layer_output");
  if (!option) {
    option = config_.find("debug_print_layer_output");
  }
  if (!option || option->is_none() || !built.output.expr.defined()) {
    return;
  }
  int64_t count = 10;
  if (option->is_dict()) {
    for (const std::string& key : option->keys()) {
      if (key == "summarize") {
        count = option->find(key)->as_int();
      } else if (key != "enabled") {
        throw option->find(key)->error("unknown option '" + key + "' of debug_print_layer_output");
      }
    }
  } else if (!option->as_bool()) {
    return;
  }
  built.output.expr = ops::print(built.output.expr, built.name, count);
}

}  // namespace wende
