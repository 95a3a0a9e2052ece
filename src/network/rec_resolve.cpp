#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_order.h"
#include "network/rec_subnet.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The time mark of a template: kept, else the first other dynamic axis.
void mark_time(Data& data) {
  const std::vector<int> dynamic = data.dynamic_axes();
  if (data.time_axis < 0 && !dynamic.empty()) {
    data.time_axis = dynamic.front();
  }
}

LayerOutput with_dim(LayerOutput x, const Dim& from, const Dim& to) {
  const int axis = x.expr.defined() ? x.data.axis_of(from) : -1;
  if (axis >= 0) {
    x.data.dims[static_cast<size_t>(axis)] = to;
    x.expr = ops::reshape(x.expr, x.data.dims);
  }
  return x;
}

/// Picks rows of [time, B, ...] for each frame: rows [T, B] -> [T, B, ...].
Expr rows_of_steps(const LayerOutput& x, const Dim& time, Expr rows) {
  const std::vector<int> order = order_with_first(x.data.rank(), {0, x.data.batch_axis()});
  Expr table = ops::permute(x.expr, order);
  std::vector<Dim> dims{
      Dim::derived(Dim::Op::kMul, {time, table.dim(1)}, Dim::Kind::kSpatial, "hypotheses of all steps")};
  dims.insert(dims.end(), table.dims().begin() + 2, table.dims().end());
  return ops::permute(ops::gather(ops::reshape(table, dims), rows), inverse_order(order));
}

/// With the loop's axis first; repeated along it if it has none.
LayerOutput with_time_first(LayerOutput x, const Dim& time) {
  const int axis = x.data.axis_of(time);
  if (axis < 0) {
    x.data = x.data.with_axis(0, time);
    x.expr = ops::broadcast_to(ops::expand_dims(x.expr, 0), x.data.dims);
  } else if (axis > 0) {
    x = with_axis_first(x, axis);
  }
  x.data.time_axis = x.data.time_axis < 0 ? 0 : x.data.time_axis;
  return x;
}

}  // namespace

/// One step of what stands on all frames: a slice, or the value itself where it has no such axis.
LayerOutput RecSubnet::slice(const LayerOutput& x) {
  if (!x.expr.defined()) {
    return x;
  }
  if (x.data.axis_of(time) < 0) {
    return {x.data, inside.graph->capture(x.expr)};
  }
  const LayerOutput sequence = with_time_first(x, time);
  Data data = sequence.data.without_axis(0);
  mark_time(data);
  return {data, loop->sequence(sequence.expr)};
}

/// All steps of x. With back_prop False the loop is a constant for the gradients.
Expr RecSubnet::stacked(Expr x) const {
  const Expr frames = loop->stack(x);
  return back_prop ? frames : ops::stop_gradient(frames);
}

/// All frames of what a step computes: [time, ...].
LayerOutput RecSubnet::stack(const LayerOutput& x, int stage) {
  if (!x.expr.defined() || !search || !x.data.has_batch() || search->traced.empty()) {
    return stack_untraced(x);
  }
  LayerOutput result{x.data.with_axis(0, out_time), stacked(x.expr)};
  result.data.time_axis = result.data.time_axis < 0 ? 0 : result.data.time_axis;
  result.expr = rows_of_steps(result, time, search->traced[static_cast<size_t>(stage)]);
  result.data = at_stage(result.data, search->last_stage());
  return result;
}

LayerOutput RecSubnet::stack_untraced(const LayerOutput& x) {
  if (!x.expr.defined()) {
    return x;
  }
  LayerOutput result{x.data.with_axis(0, out_time), stacked(x.expr)};
  result.data.time_axis = result.data.time_axis < 0 ? 0 : result.data.time_axis;
  if (!(out_time == time)) {
    result.expr = ops::cut(result.expr, 0, out_time);
  }
  return result;
}

LayerOutput RecSubnet::inside_time(LayerOutput x) const { return with_dim(std::move(x), around_time, time); }

LayerOutput RecSubnet::outside(LayerOutput x) const { return with_dim(std::move(x), out_time, around_time); }

LayerOutput RecSubnet::full(const LayerOutput& x) { return x.expr.defined() ? with_time_first(x, frames()) : x; }

const BuiltLayer& NetworkConstruction::resolve_in_unit(NetworkLevel& level, const std::string& name,
                                                       const Value& asker) {
  RecSubnet& rec = *level.unit;
  if (name.starts_with("prev:")) {
    const std::string of = name.substr(5);
    if (of.starts_with("prev:")) {
      throw asker.error("multiple 'prev:' prefixes are not allowed, got '" + name + "'");
    }
    rec.add_dependency(of.substr(0, of.find('/')), true);
    return &level == &rec.inside ? previous_layer(level, of, asker) : shifted_layer(level, of, asker);
  }
  if (name.starts_with("base:")) {
    const BuiltLayer& layer = resolve(*rec.around, name.substr(5), asker);
    const RecSubnet* search = rec.around->loop && rec.around->loop->search ? rec.around->loop : nullptr;
    if (!search || search->draft || !rec.plan || layer.stage == rec.plan->stage) {
      return captured_layer(level, layer);
    }
    if (layer.stage > rec.plan->stage) {
      throw asker
          .error("'" + name +
                 "' is of the hypotheses after a choice, the inputs of this loop are of those before it: this is not "
                 "supported by Wende " WENDE_VERSION)
          .hint("let an input of the loop come from the choice, too");
    }
    return captured_layer(level, moved_hypotheses(*rec.around, layer, rec.plan->stage));
  }
  if (name == ":i" || name == "data" || name.starts_with("data:")) {
    if (name == ":i") {
      rec.add_dependency(name, false);
    }
    return unit_data(level, name == ":i" ? name : name == "data" ? "data" : name.substr(5), asker);
  }
  return unit_layer(level, name, asker);
}

/// A layer of the unit as this side of the loop sees it.
const BuiltLayer& NetworkConstruction::unit_layer(NetworkLevel& level, const std::string& name, const Value& asker) {
  RecSubnet& rec = *level.unit;
  const bool path = name.find('/') != std::string::npos && !level.dict.find(name);
  const std::string head = path ? name.substr(0, name.find('/')) : name;
  rec.add_dependency(head, false);
  const auto place = rec.places.find(head);
  NetworkLevel& owner =
      rec.draft || place == rec.places.end() ? (rec.draft ? rec.inside : level) : rec.level(place->second);
  if (&owner == &level) {
    if (path && rec.draft) rec.open.push_back(head);
    const BuiltLayer& found = path ? sub_path(level, name, asker) : layer(level, name, asker);
    if (path && rec.draft) rec.open.pop_back();
    return found;
  }
  if (&level == &rec.before || &owner == &rec.after) {
    throw internal_error(
        fmt::format("layer '{}' of the unit of '{}' is on the wrong side of the loop", name, rec.inside.name));
  }
  const BuiltLayer& source = unit_layer(owner, name, asker);
  if (&owner == &rec.before && &level == &rec.after && !rec.search) {
    return source;
  }
  auto& seen = level.imported[&source];
  if (!seen) {
    seen = std::make_unique<BuiltLayer>(source);
    const auto import = [&](const LayerOutput& x) {
      if (&owner == &rec.inside) return source.raw ? rec.stack_untraced(x) : rec.stack(x, source.stage);
      const LayerOutput tiled = in_batch_of(level, x);
      return &level == &rec.inside ? rec.slice(tiled) : tiled;
    };
    seen->output = import(source.output);
    for (auto& [key, output] : seen->sub_outputs) {
      output = import(output);
    }
    if (&owner == &rec.inside && rec.search) {
      seen->beam = rec.search->beam;
      seen->stage = 0;
    }
  }
  return *seen;
}

/// A layer outside whose frames belong to the steps of the loop.
const BuiltLayer& NetworkConstruction::unstacked(NetworkLevel& level, const std::string& name, const Value& asker) {
  auto& layer = level.sub_outputs["unstacked:" + name];
  if (!layer) {
    layer = std::make_unique<BuiltLayer>(resolve(level, name, asker));
    layer->output = in_batch_of(level, level.unit->inside_time(layer->output));
    layer->output = level.unit->place_of(level) == RecPlace::kInside ? level.unit->slice(layer->output) : layer->output;
    layer->sub_outputs.clear();
  }
  return *layer;
}

/// "source": the rec layer's input; ":i": the index of the step; else a key of the extern data.
const BuiltLayer& NetworkConstruction::unit_data(NetworkLevel& level, const std::string& key, const Value& asker) {
  RecSubnet& rec = *level.unit;
  auto& layer = level.sub_outputs["data:" + key];
  if (layer) {
    return *layer;
  }
  auto data = std::make_unique<BuiltLayer>();
  data->name = level.name + "/data:" + key;
  data->class_name = "source";
  if (key == ":i") {
    data->output.data.name = ":i";
    data->output.data.dtype = DType::kInt32;
    if (&level == &rec.inside) {
      data->output.expr = rec.loop->step();
    } else {
      data->output.data.dims = {rec.frames()};
      data->output.data.time_axis = 0;
      data->output.expr = ops::range(*level.graph, rec.frames());
    }
  } else if (key == "source") {
    if (!rec.has_input) {
      throw asker.error("the rec layer has no input: its 'from' is empty");
    }
    const LayerOutput input = in_batch_of(level, rec.input);
    data->output = &level == &rec.inside ? rec.slice(input) : input;
  } else {
    data->output = frames_of(level, key, asker);
  }
  layer = std::move(data);
  return *layer;
}

/// An extern data key as a layer of this level sees it: one frame of it in the body of a loop.
LayerOutput NetworkConstruction::frames_of(const NetworkLevel& level, const std::string& key, const Value& asker) {
  const NetworkLevel* at = &level;
  while (at && !at->unit) {
    at = at->parent;
  }
  if (!at) {
    return extern_source(key, asker).output;
  }
  RecSubnet& rec = *at->unit;
  LayerOutput x = in_batch_of(*at, frames_of(*rec.around, key, asker));
  if (!x.data.has_time()) {
    return {x.data, level.graph->capture(x.expr)};
  }
  if (rec.open_ended) {
    throw asker.error("a frame of '" + key +
                      "' in each step of a loop that ends by itself is not supported by Wende " WENDE_VERSION);
  }
  x.data.dims[static_cast<size_t>(x.data.time_axis)] = rec.time;
  x.expr = ops::reshape(x.expr, x.data.dims);
  x = rec.full(x);
  if (at == &rec.inside) {
    x = rec.slice(x);
  }
  return {x.data, level.graph->capture(x.expr)};
}

/// x in which another axis than the loop's is the time axis, with that axis first; else unchanged.
LayerOutput NetworkConstruction::with_own_time_first(const RecSubnet& rec, LayerOutput x) {
  const int axis = x.data.time_axis;
  if (axis < 0 || x.data.dims[static_cast<size_t>(axis)] == rec.frames()) {
    return x;
  }
  return with_axis_first(x, axis);
}

/// "prev:x" outside of the body: all frames, one later, behind the initial output. RETURNN shifts along the time axis
/// of x, which is the loop's in nearly all nets, but an encoder's where x has that mark.
const BuiltLayer& NetworkConstruction::shifted_layer(NetworkLevel& level, const std::string& name, const Value& asker) {
  RecSubnet& rec = *level.unit;
  auto& shifted = level.sub_outputs["prev:" + name];
  if (!shifted) {
    const BuiltLayer& source = unit_layer(level, name, asker);
    auto layer = std::make_unique<BuiltLayer>(source);
    layer->sub_outputs.clear();
    const auto shift = [&](const LayerOutput& x, const std::string& key) {
      const LayerOutput full = with_own_time_first(rec, rec.full(x));
      const Data step = full.data.without_axis(0);
      const Value* initial = rec.dict.find(name) ? rec.dict.find(name)->find("initial_output") : nullptr;
      if (step.axis_of(rec.frames()) >= 0 && initial && initial->is_string() && initial->as_string() != "zeros" &&
          initial->as_string() != "ones") {
        throw initial->error(fmt::format(
            "prev:{0}: '{0}' is not computed in the loop and has another time axis, {1}: its initial_output must be "
            "a number",
            name, full.data.str()));
      }
      const Expr first = initial_value(rec, source.name, name, key, step);
      return LayerOutput{full.data, ops::shift_steps(full.expr, first, -1)};
    };
    layer->output = shift(source.output, "");
    const auto found = rec.templates.find(source.name);
    for (const auto& [key, data] :
         found == rec.templates.end() ? std::map<std::string, Data>() : found->second.states) {
      if (const auto sub = source.sub_outputs.find(key);
          sub != source.sub_outputs.end() && sub->second.data.axis_of(rec.frames()) >= 0) {
        layer->sub_outputs[key] = shift(sub->second, key);
      }
    }
    shifted = std::move(layer);
  }
  return *shifted;
}

}  // namespace wende
