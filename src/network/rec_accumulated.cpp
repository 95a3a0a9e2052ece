#include <fmt/core.h>

#include "layers/gathering.h"
#include "network/network_built_layer.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

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
class RecAccumulatedLayer : public NetworkBuiltLayer {
 public:
  explicit RecAccumulatedLayer(const RecAccumulatedArgs& args) {
    if (!args.sub_layer.is_string()) {
      throw args.sub_layer.error("get_rec_accumulated needs 'sub_layer': the name of a layer in the unit, got " +
                                 args.sub_layer.repr());
    }
  }
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

struct RecLastOutputArgs {
  Value rec_layer, sub_layer_name;

  template <class V>
  void fields(V& v) {
    v.field("rec_layer", rec_layer, "the rec layer, with a unit of layers");
    v.field("sub_layer_name", sub_layer_name, "layer of the unit whose value after the last step this is");
  }
};

class RecLastOutputLayer : public NetworkBuiltLayer {
 public:
  explicit RecLastOutputLayer(const RecLastOutputArgs& args) {
    for (const Value* name : {&args.rec_layer, &args.sub_layer_name}) {
      if (!name->is_string()) {
        throw name->error("rec_last_output needs 'rec_layer' and 'sub_layer_name', got " + name->repr());
      }
    }
  }
};

const RegisterLayer<RecLastOutputLayer, RecLastOutputArgs> kRegisterLast{
    "rec_last_output",
    {},
    "A layer of a rec layer's unit at the last frame of each sequence. `need_last` on that layer has it computed.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("loop": {"class": "rec", "from": "data", "unit": {)"
     R"("x": {"class": "linear", "activation": "tanh", "n_out": 3, "from": ["data:source", "prev:x"], )"
     R"("need_last": True}, "output": {"class": "linear", "activation": None, "n_out": 2, "from": "x"}}}, )"
     R"("output": {"class": "rec_last_output", "rec_layer": "loop", "sub_layer_name": "x"}}})"}};

}  // namespace

void NetworkConstruction::construct_rec_last_output(LayerPlan& plan, BuiltLayer& built) {
  NetworkLevel& level = *plan.level;
  const Value& dict = plan.options;
  const Value& rec = *dict.find("rec_layer");
  const Value& inner = *dict.find("sub_layer_name");
  const BuiltLayer& loop = resolve(level, rec.as_string(), rec);
  if (!loop.unit) {
    throw rec.error("rec_last_output needs a rec layer with a unit of layers as 'rec_layer'");
  }
  const BuiltLayer& layer = resolve(level, rec.as_string() + "/" + inner.as_string(), inner);
  const Data& all = layer.output.data;
  const int time = all.axis_of(loop.output.data.time_dim());
  if (time < 0 || !all.has_batch()) {
    throw inner.error(fmt::format("rec_last_output needs batch and the steps of the loop, got {}", all.str()));
  }
  const Dim& batch = all.dims[static_cast<size_t>(all.batch_axis())];
  Data position;
  position.dims = {batch};
  position.dtype = DType::kInt32;
  const Gathering gathering(all, position, time);
  const Expr one = ops::int_constant(graph(), 1);
  const Expr zero = ops::int_constant(graph(), 0);
  const Expr size = lengths(level, all.dims[static_cast<size_t>(time)], batch);
  built.output.data = gathering.out_data(built.name);
  built.output.expr = gathering.build(layer.output.expr, ops::binary(ops::Binary::kMaximum, ops::sub(size, one), zero));
  built.beam = layer.beam;
}

void NetworkConstruction::construct_rec_accumulated(LayerPlan& plan, BuiltLayer& built) {
  NetworkLevel& level = *plan.level;
  const Value& dict = plan.options;
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
}

}  // namespace wende
