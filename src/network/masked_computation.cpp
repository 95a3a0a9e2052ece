#include <fmt/core.h>

#include "layers/alignment.h"
#include "network/rec_subnet.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct MaskedComputationArgs {
  Value mask, unit, masked_from, in_spatial_dim, out_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("mask", mask, "layer, bool [B]: which sequences compute in this step");
    v.field("unit", unit, "dict of a layer; its input \"data\" is the input of this one");
    v.field("masked_from", masked_from,
            "layer of just the frames where the mask is true: the unit runs over these, before the loop");
    v.field("in_spatial_dim", in_spatial_dim, "accepted; it is the loop's axis");
    v.field("out_spatial_dim", out_spatial_dim, "accepted; the output has all frames of the loop");
  }
};

/// Only the options: the network itself builds the unit.
class MaskedComputationLayer : public Layer {
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
  Data out_data(const LayerContext&) override { throw internal_error("masked_computation is built by its network"); }
  Expr build(LayerBuilder&) override { throw internal_error("masked_computation is built by its network"); }
};

const RegisterLayer<MaskedComputationLayer, MaskedComputationArgs> kRegister{
    "masked_computation",
    {},
    "In a loop: a layer that computes where the mask is true; elsewhere its output and its states stay as they were.",
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
  LayerRegistry::instance().find("masked_computation")->make(dict);
  if (masked_from(dict)) {
    construct_layer(level, name, unit_of_masked(dict), built);
    return;
  }
  if (!level.loop) {
    throw dict.error("masked_computation outside of the unit of a rec layer is not supported by Wende " WENDE_VERSION);
  }
  RecSubnet& rec = *level.loop;
  if (rec.search) {
    throw dict.error("masked_computation in the loop of a search is not supported by Wende " WENDE_VERSION);
  }
  const Value& mask_name = *dict.find("mask");
  const LayerOutput mask = resolve(level, mask_name.as_string(), mask_name).output;
  if (mask.data.dtype != DType::kBool || mask.data.rank() != 1 || !mask.data.has_batch()) {
    throw mask_name.error("mask must be bool [B] in each step, got " + mask.data.str());
  }
  const std::string absolute = level.absolute(name);
  rec.masks[absolute] = mask;
  construct_layer(level, name, unit_of_masked(dict), built);
  built.output = masked(level, name, built.output, mask);
}

/// `now` where the mask is true, else what it was in the step before.
LayerOutput NetworkConstruction::masked(NetworkLevel& level, const std::string& name, const LayerOutput& now,
                                        const LayerOutput& mask) {
  RecSubnet& rec = *level.loop;
  if (!rec.open.empty()) {
    rec.add_dependency(rec.open.back(), true);  // it keeps its output: it stays in the loop
  }
  const LayerOutput before = state_output(rec, level.absolute(name), "", now.data);
  RecSubnet::State& state = *rec.states_by_name.at({level.absolute(name), ""});
  state.level = &level;
  state.local = name;
  return {now.data, ops::where(mask_for(mask, now.data), now.expr, before.expr)};
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
    if (masked_from(*level.dict.find(head))) {
      return *inner;
    }
    inner->output = masked(level, path, source.output, level.loop->masks.at(level.absolute(head)));
  }
  return *inner;
}

}  // namespace wende
