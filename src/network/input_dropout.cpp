#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "network/rec_subnet.h"
#include "ops/dropout.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

/// Entry of a noise shape: true = the mask varies along the axis, false = it is shared.
bool varies(const Value& entry) {
  if (entry.is_none()) {
    return true;
  }
  if (entry.kind() == Value::Kind::kInt && (entry.as_int() == 1 || entry.as_int() == -1)) {
    return entry.as_int() == -1;
  }
  if (entry.is_string() && entry.as_string() == "x") {
    return false;
  }
  throw entry.error("an entry of dropout_noise_shape is 1 or \"x\" (shared) or -1 or None (varying), got " +
                    entry.repr());
}

/// One vector over the features per mini-batch is RETURNN's default.
std::vector<bool> default_shape(const Data& data) {
  std::vector<bool> full(data.dims.size(), true);
  for (const int axis : data.spatial_axes()) {
    full[static_cast<size_t>(axis)] = false;
  }
  if (data.has_batch()) {
    full[static_cast<size_t>(data.batch_axis())] = false;
  }
  return full;
}

std::vector<bool> dict_shape(const Data& data, const Value& dict, int behavior_version) {
  std::vector<bool> full = default_shape(data);
  for (const auto& [axis, entry] : dict.entries()) {
    if (axis.is_string() && axis.as_string() == "*") {
      full.assign(full.size(), varies(entry));
    }
  }
  std::vector<bool> named(full.size(), false);
  for (const auto& [axis, entry] : dict.entries()) {
    if (axis.is_string() && axis.as_string() == "*") {
      continue;
    }
    for (const int index : axes_of_option(data, axis, behavior_version)) {
      const auto at = static_cast<size_t>(index);
      if (named[at]) {
        throw dict.error(fmt::format("dropout_noise_shape names axis {} of {} twice", index, data.str()));
      }
      named[at] = true;
      full[at] = varies(entry);
    }
  }
  return full;
}

std::vector<bool> mask_shape(const Data& data, const Value& options, int behavior_version) {
  const Value* axes = options.find("dropout_axis");
  if (axes && !axes->is_none()) {
    std::vector<bool> full(data.dims.size(), false);
    for (const int axis : axes_of_option(data, *axes, behavior_version)) {
      full[static_cast<size_t>(axis)] = true;
    }
    return full;
  }
  const Value* shape = options.find("dropout_noise_shape");
  if (!shape || shape->is_none()) {
    return default_shape(data);
  }
  if (shape->is_dict()) {
    return dict_shape(data, *shape, behavior_version);
  }
  const std::vector<Value>& entries = shape->items();
  if (entries.size() != data.dims.size()) {
    throw shape->error(fmt::format("dropout_noise_shape has {} entries, the input has {} axes: {}", entries.size(),
                                   data.rank(), data.str()));
  }
  std::vector<bool> full;
  for (const Value& entry : entries) {
    full.push_back(varies(entry));
  }
  return full;
}

}  // namespace

LayerOutput NetworkConstruction::joined_input(const LayerPlan& plan) {
  std::vector<LayerOutput> sources;
  std::string key = fmt::format("{}|", plan.level->graph->id());
  for (const BuiltLayer* source : plan.sources) {
    sources.push_back(source->output);
    key += fmt::format("{}:{},", source->output.expr.node, source->output.expr.output);
  }
  LayerOutput& shared = dropped_inputs_[key];
  if (!shared.expr.defined()) {
    shared.data = concat_input_data(plan.context.sources, plan.context.absolute_name);
    shared.expr = concat_input(sources, shared.data);
  }
  // One source: other layers may say other things about the same numbers (classes, marks, tags).
  const LayerOutput joined{
      sources.size() == 1 ? concat_input_data(plan.context.sources, plan.context.absolute_name) : shared.data,
      shared.expr};
  const Value* rate = plan.options.find("dropout");
  const double p = rate && !rate->is_none() ? rate->as_float() : 0.0;
  if (p == 0.0 || !(options_.train || flag(plan.options, "dropout_on_forward", false))) {
    return joined;
  }
  // A template pass sees one step of what may move out of the loop, where the axes are others.
  if (plan.level->loop && plan.level->loop->draft) {
    return joined;
  }
  if (joined.data.sparse()) {
    throw rate->error("dropout needs dense input, got " + joined.data.str());
  }
  const std::vector<bool> full = mask_shape(joined.data, plan.options, options_.behavior_version);
  key += fmt::format("{:.17g},", p);
  std::vector<Dim> dims;
  const Value* shape = plan.options.find("dropout_noise_shape");
  const bool as_given = shape && shape->is_sequence();  // there, RETURNN does not take None for a static axis's size
  for (size_t i = 0; i < full.size(); ++i) {
    const bool sized = joined.data.dims[i].is_static() && !(as_given && shape->items()[i].is_none());
    key += !full[i] ? '1' : sized ? 's' : 'n';
    dims.push_back(full[i] ? joined.data.dims[i] : Dim::fixed(1, Dim::Kind::kSpatial));
  }
  // Layers of equal sources, rate and shape share the mask (both directions of a BLSTM), named after the first of them.
  LayerOutput& dropped = dropped_inputs_[key];
  if (!dropped.expr.defined()) {
    const uint32_t random = draw_seed(plan.sources[0]->level ? *plan.sources[0]->level : *plan.level);
    // A mask of fixed size is drawn once for all steps of the loops around, one with a batch axis in each step.
    Graph* drawn_in = plan.level->graph;
    while (drawn_in->outer() && std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_static(); })) {
      drawn_in = drawn_in->outer();
    }
    const Expr mask = plan.level->graph->capture(ops::dropout_mask(*drawn_in, dims, 1.0 - p, random));
    dropped = {joined.data, ops::mul(joined.expr, mask)};
  }
  return {joined.data, dropped.expr};
}

}  // namespace wende
