#include "network/rec_subnet.h"

namespace wende {
namespace {

struct RecAccumulatedArgs {
  Value sub_layer;

  template <class V>
  void fields(V& v) {
    v.field("sub_layer", sub_layer, "layer of the unit whose values of all steps this is");
  }
};

/// Only the options: the network itself knows the unit.
class RecAccumulatedLayer : public Layer {
 public:
  explicit RecAccumulatedLayer(const RecAccumulatedArgs& args) {
    if (!args.sub_layer.is_string()) {
      throw args.sub_layer.error("get_rec_accumulated needs 'sub_layer': the name of a layer in the unit, got " +
                                 args.sub_layer.repr());
    }
  }
  Data out_data(const LayerContext&) override { throw internal_error("get_rec_accumulated is built by its network"); }
  Expr build(LayerBuilder&) override { throw internal_error("get_rec_accumulated is built by its network"); }
};

const RegisterLayer<RecAccumulatedLayer, RecAccumulatedArgs> kRegister{
    "get_rec_accumulated",
    {},
    "A layer of a rec layer's unit, of all steps: the same as \"rec/layer\" as a source.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("loop": {"class": "rec", "from": "data", "unit": {)"
     R"("x": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:x"], )"
     R"("is_output_layer": True}, "output": {"class": "linear", "activation": None, "n_out": 2, "from": "x"}}}, )"
     R"("output": {"class": "get_rec_accumulated", "sub_layer": "x", "from": "loop"}}})"}};

}  // namespace

void NetworkConstruction::construct_rec_accumulated(NetworkLevel& level, const std::string& name, const Value& dict,
                                                    BuiltLayer& built) {
  LayerRegistry::instance().find("get_rec_accumulated")->make(dict);
  LayerPlan plan = plan_of(level, name, dict);
  built.class_name = plan.class_name;
  built.options = dict;
  check_general_options(plan);
  const Value* from = given(dict, "from");
  const Value source = from && from->is_sequence() && from->items().size() == 1 ? from->items()[0]
                       : from                                                   ? *from
                                                                                : Value();
  if (!source.is_string() || !resolve(level, source.as_string(), dict).unit) {
    throw dict.error("get_rec_accumulated needs one rec layer with a unit of layers as 'from'");
  }
  const Value& inner = *dict.find("sub_layer");
  const BuiltLayer& layer = resolve(level, source.as_string() + "/" + inner.as_string(), inner);
  built.output = layer.output;
  built.output.data.name = built.name;
  built.beam = layer.beam;
  finish_own_network(plan, built);
}

}  // namespace wende
