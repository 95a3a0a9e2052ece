#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_order.h"
#include "network/network_built_layer.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct MaskedComputationArgs {
  Value mask, unit, masked_from, in_spatial_dim, out_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("mask", mask, "layer, bool [B]: which sequences compute in this step; outside of loops [B,T]");
    v.field("unit", unit, "dict of a layer; its input \"data\" is the input of this one");
    v.field("masked_from", masked_from,
            "layer of just the frames where the mask is true: the unit runs over these, before the loop");
    v.field("in_spatial_dim", in_spatial_dim, "accepted; it is the loop's axis");
    v.field("out_spatial_dim", out_spatial_dim, "names the axis of the frames where the mask is true");
  }
};

class MaskedComputationLayer : public NetworkBuiltLayer {
 public:
  explicit MaskedComputationLayer(const MaskedComputationArgs& args) {
    if (!args.mask.is_string()) {
      throw args.mask.error("masked_computation needs a layer 'mask', got " + args.mask.repr());
    }
    const Value* klass = args.unit.is_dict() ? args.unit.find("class") : nullptr;
    if (!klass || !klass->is_string()) {
      throw args.unit.error("masked_computation needs the dict of a layer as 'unit', got " + args.unit.repr());
    }
    if (!args.masked_from.is_none() && !args.masked_from.is_string()) {
      throw args.masked_from.error("masked_from is the name of a layer, got " + args.masked_from.repr());
    }
  }
};

const RegisterLayer<MaskedComputationLayer, MaskedComputationArgs> kRegister{
    "masked_computation",
    {},
    "A layer that computes where the mask is true. In a loop, its output and its states stay as they were elsewhere; "
    "outside, its input and output have just these frames.",
    {R"({"class": "rec", "from": "data", "unit": {)"
     R"("sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": "data:source"}, )"
     R"("mask": {"class": "compare", "kind": "greater", "value": 0.0, "from": "sum"}, )"
     R"("output": {"class": "masked_computation", "mask": "mask", "from": "data:source", )"
     R"("unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data"}}}})"}};

/// The input of the layer itself, in place of "data" in its unit.
Value with_input(const Value& name, const Value* input) {
  return input && name.is_string() && name.as_string() == "data" ? *input : name;
}

}  // namespace

bool is_masked_computation(const Value* dict) {
  const Value* klass = dict && dict->is_dict() ? dict->find("class") : nullptr;
  return klass && klass->is_string() && klass->as_string() == "masked_computation";
}

namespace {

/// The option, where it is given.
const Value* masked_from(const Value& dict) {
  const Value* name = dict.find("masked_from");
  return name && !name->is_none() ? name : nullptr;
}

}  // namespace

Value unit_of_masked(const Value& dict) {
  const Value& unit = *dict.find("unit");
  const Value* masked = masked_from(dict);
  const Value* from = masked ? masked : dict.find("from");
  const Value* input = from && from->is_sequence() ? (from->items().empty() ? nullptr : &from->items().front())
                       : from && from->is_string() ? from
                                                   : nullptr;
  std::vector<Value::Entry> entries;
  bool has_from = false;
  for (const auto& [key, value] : unit.entries()) {
    if (key.as_string() != "from") {
      entries.emplace_back(key, value);
      continue;
    }
    has_from = true;
    if (!value.is_sequence()) {
      entries.emplace_back(key, with_input(value, input));
      continue;
    }
    std::vector<Value> names;
    for (const Value& name : value.items()) {
      names.push_back(with_input(name, input));
    }
    entries.emplace_back(key, Value::list(std::move(names)).placed(value.span(), value.path()));
  }
  if (!has_from) {
    entries.emplace_back(Value::of("from"), input ? *input : Value::list({}));
  }
  if (const Value* scope = dict.find("name_scope"); scope && !unit.find("name_scope")) {
    entries.emplace_back(Value::of("name_scope"), *scope);
  }
  return Value::dict(std::move(entries)).placed(unit.span(), unit.path());
}

/// The unit is built under the layer's own name, so that parameters and states are called after it.
void NetworkConstruction::construct_masked(NetworkLevel& level, const std::string& name, const Value& dict,
                                           BuiltLayer& built) {
  if (masked_from(dict)) {
    construct_layer(level, name, unit_of_masked(dict), built);
    return;
  }
  if (!level.loop) {
    const Value& mask = *dict.find("mask");
    mask_frames(level, name, mask, resolve(level, mask.as_string(), mask).output);
    construct_layer(level, name, unit_of_masked(dict), built);
    return;
  }
  RecSubnet& rec = *level.loop;
  const Value& mask_name = *dict.find("mask");
  const BuiltLayer& mask_layer = resolve(level, mask_name.as_string(), mask_name);
  const LayerOutput& mask = mask_layer.output;
  if (mask.data.dtype != DType::kBool || mask.data.rank() != 1 || !mask.data.has_batch()) {
    throw mask_name.error("mask must be bool [B] in each step, got " + mask.data.str());
  }
  const std::string absolute = level.absolute(name);
  rec.masks[absolute] = {mask, mask_layer.stage};
  construct_layer(level, name, unit_of_masked(dict), built);
  keep_where_masked(level, name, absolute, built);
}

/// The layer's output where the mask is true, else what it was in the step before. In a search all three are of the
/// same hypotheses: those of the later stage of output and mask.
void NetworkConstruction::keep_where_masked(NetworkLevel& level, const std::string& name, const std::string& mask,
                                            BuiltLayer& built) {
  RecSubnet& rec = *level.loop;
  if (!rec.open.empty()) {
    rec.add_dependency(rec.open.back(), true);  // it keeps its output: it stays in the loop
  }
  const LayerOutput before = state_output(rec, level.absolute(name), "", rec.at_stage(built.output.data, 0));
  RecSubnet::State& state = *rec.states_by_name.at({level.absolute(name), ""});
  state.level = &level;
  state.local = name;
  built.output.expr = rec.where_masked(mask, built.output, built.stage, before);
  built.output.data = rec.at_stage(built.output.data, built.stage);
}

Expr RecSubnet::where_masked(const std::string& mask, LayerOutput now, int& stage, LayerOutput before) {
  RecSubnet::Mask condition = masks.at(mask);
  const int later = std::max(stage, condition.stage);
  now = move(now, stage, later);
  before = move(before, 0, later);
  condition.output = move(condition.output, condition.stage, later);
  stage = later;
  return ops::where(mask_for(condition.output, now.data), now.expr, before.expr);
}

/// Outside of loops: the frames where the mask is true become an axis of their own.
void NetworkConstruction::mask_frames(NetworkLevel& level, const std::string& name, const Value& mask_name,
                                      const LayerOutput& mask) {
  if (mask.data.dtype != DType::kBool || mask.data.rank() != 2 || !mask.data.has_batch() || !mask.data.has_time() ||
      !mask.data.time_dim().is_dynamic()) {
    throw mask_name.error("outside of loops the mask must be bool [B,T], got " + mask.data.str());
  }
  const Expr by_time = permute_if_needed(mask.expr, {mask.data.time_axis, mask.data.batch_axis()});
  const Dim from = mask.data.time_dim();
  const Expr valid = ops::binary(ops::Binary::kLogicalAnd, by_time, this->mask(level, from, true, by_time.dim(1)));
  const std::string absolute = level.absolute(name);
  masked_frames_[absolute] = {from, frames_of_mask(valid, Dim::dynamic("masked:" + absolute))};
}

/// In a loop the unit runs for all rows. Where the mask is false its labels may be none of those that it knows, as the
/// blank label of a transducer is none of its language model: what it gives there is not used, but it must not fail.
static Expr known_labels(const RecSubnet& rec, const std::string& layer, const BuiltLayer& source) {
  const Data& data = source.output.data;
  const auto mask = rec.masks.find(layer);
  if (mask == rec.masks.end() || mask->second.stage != source.stage || !source.output.expr.defined() ||
      !data.sparse() || !data.sparse_dim.is_static() || !data.has_batch()) {
    return {};
  }
  const Expr x = source.output.expr;
  const Expr last = ops::constant(*x.graph, static_cast<double>(data.sparse_dim.size() - 1), x.dtype());
  return ops::where(mask_for(mask->second.output, data), x, ops::binary(ops::Binary::kMinimum, x, last));
}

/// A source as the unit of a masked_computation sees it: [to,B,...] in place of the mask's axis.
const BuiltLayer& NetworkConstruction::masked_source(LayerPlan& plan, const BuiltLayer& source) {
  const RecSubnet* rec = plan.level->loop;
  if (const Expr labels = rec ? known_labels(*rec, plan.context.absolute_name, source) : Expr(); labels.defined()) {
    auto& known = plan.level->sub_outputs["masked:" + plan.name + ":" + source.name];
    if (!known) {
      known = std::make_unique<BuiltLayer>(source);
      known->output.expr = labels;
    }
    return *known;
  }
  const auto found = masked_frames_.find(plan.context.absolute_name);
  const int axis = found == masked_frames_.end() ? -1 : source.output.data.axis_of(found->second.first);
  if (axis < 0) {
    return source;
  }
  const FramesOfMask& frames = found->second.second;
  auto& masked = plan.level->sub_outputs["masked:" + plan.name + ":" + source.name];
  if (masked) {
    return *masked;
  }
  const Data& data = source.output.data;
  if (!data.has_batch()) {
    throw plan.options.error("masked_computation needs an input with a batch axis, got " + data.str());
  }
  const std::vector<int> order = order_with_first(data.rank(), {axis, data.batch_axis()});
  masked = std::make_unique<BuiltLayer>(source);
  masked->sub_outputs.clear();
  Data& out = masked->output.data;
  out = data.permuted(order);
  out.dims[0] = frames.to;
  out.time_axis = 0;
  masked->output.expr = kept_frames(frames, permute_if_needed(source.output.expr, order));
  return *masked;
}

Expr mask_for(const LayerOutput& mask, const Data& data) {
  Data layout = data;
  layout.dtype = DType::kBool;
  layout.sparse_dim = Dim();
  Expr result = align_to(mask, layout);
  while (result.rank() < data.rank()) {
    result = ops::expand_dims(result, result.rank());
  }
  return result;
}

/// "masked/x": a layer of the unit, which is a subnetwork, as it stays where the mask is false.
const BuiltLayer& NetworkConstruction::masked_sub_layer(NetworkLevel& level, const std::string& path,
                                                        const Value& asker) {
  const std::string head = path.substr(0, path.find('/'));
  auto& inner = level.sub_outputs[path];
  if (!inner) {
    layer(level, head, asker);
    const auto sub = level.subnetworks.find(head);
    if (sub == level.subnetworks.end()) {
      throw asker.error("the unit of the masked_computation '" + head + "' is no subnetwork: it has no layers");
    }
    const BuiltLayer& source = resolve(*sub->second, path.substr(head.size() + 1), asker);
    inner = std::make_unique<BuiltLayer>(source);
    if (masked_from(*level.dict.find(head)) || !level.loop) {
      return *inner;
    }
    keep_where_masked(level, path, level.absolute(head), *inner);
  }
  return *inner;
}

}  // namespace wende
