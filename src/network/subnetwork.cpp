#include <fmt/core.h>

#include "layers/concat_input.h"
#include "network/construction.h"
#include "network/network_built_layer.h"

namespace wende {
namespace {

struct SubnetworkArgs {
  Value subnetwork;
  bool concat_sources = true;
  Value load_on_init;

  template <class V>
  void fields(V& v) {
    v.field("subnetwork", subnetwork, "dict of layers; \"output\" is the result");
    v.field("concat_sources", concat_sources, "one input \"data\" of all sources joined; else data:0, data:1, ...");
    v.field("load_on_init", load_on_init, "checkpoint that the parameters start from");
  }
};

class SubnetworkLayer : public NetworkBuiltLayer {
 public:
  explicit SubnetworkLayer(SubnetworkArgs args) {
    if (!args.subnetwork.is_dict()) {
      throw args.subnetwork.error(
          fmt::format("subnetwork must be a dict of layers, got {}", args.subnetwork.type_name()));
    }
    if (!args.load_on_init.is_none()) {
      throw args.load_on_init.error("load_on_init is not supported by Wende " WENDE_VERSION);
    }
  }
};

const RegisterLayer<SubnetworkLayer, SubnetworkArgs> kRegister{
    "subnetwork",
    {},
    "A network of its own; its result is the layer \"output\" inside.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("x": {"class": "linear", "activation": "relu", "n_out": 4, "from": "data"}, )"
     R"("output": {"class": "linear", "activation": None, "n_out": 3, "from": ["x", "base:data"]}}})"}};

}  // namespace

/// The inner level of a subnetwork layer: made once, whether the layer itself or only "sub/x" is wanted.
NetworkLevel& NetworkConstruction::subnetwork(NetworkLevel& level, const std::string& name, const Value& dict) {
  if (const auto found = level.subnetworks.find(name); found != level.subnetworks.end()) {
    return *found->second;
  }
  LayerRegistry::instance().find("subnetwork")->make(dict);
  auto sub = std::make_unique<NetworkLevel>();
  LayerPlan plan;
  plan.level = &level;
  plan.name = name;
  plan.class_name = "subnetwork";
  plan.options = dict;
  plan.context.name = name;
  plan.context.absolute_name = level.absolute(name);
  sub->parent = &level;
  start_random(*sub);
  check_general_options(plan);
  resolve_inputs(plan);
  align_hypotheses(plan);
  resolve_scope(plan);
  sub->batch = level.batch;
  sub->graph = level.graph;
  sub->loop = level.loop;
  sub->effects = level.effects;
  sub->errors = level.errors;
  sub->dict = *dict.find("subnetwork");
  sub->name = level.absolute(name);
  sub->scope = plan.scope;
  sub->trainable = plan.trainable;
  sub->joined_input = flag(dict, "concat_sources", true);
  const ScopeGuard scope(*sub->graph, sub->name);
  if (!sub->joined_input) {
    for (const BuiltLayer* source : plan.sources) {
      sub->inputs.push_back(*source);
    }
  } else if (!plan.sources.empty()) {
    BuiltLayer input;
    input.output = joined_input(plan);
    input.stage = plan.stage;
    // A single source without dropout is the source itself, with what losses and losses' readers ask of it.
    if (plan.sources.size() == 1 && input.output.expr == plan.sources[0]->output.expr) {
      input = *plan.sources[0];
    }
    input.name = sub->name + "/data";
    input.class_name = "source";
    sub->inputs.push_back(std::move(input));
  } else {
    sub->joined_input = false;
  }
  return *(level.subnetworks[name] = std::move(sub));
}

void NetworkConstruction::construct_subnetwork(LayerPlan& plan, BuiltLayer& built) {
  NetworkLevel& sub = subnetwork(*plan.level, plan.name, plan.options);
  const Value* output = sub.dict.find("output");
  if (!output) {
    throw sub.dict.error(fmt::format("the subnetwork of layer '{}' has no layer 'output'", built.name));
  }
  // RETURNN's order: layers with a loss come after "output", unless the layer is encapsulated. Initial values depend on
  // it.
  if (!flag(plan.options, "encapsulate", false)) {
    layer_or_failed(sub, "output");
  }
  build_level(sub);
  const BuiltLayer& result = layer(sub, "output", sub.dict);
  built.output = result.output;
  built.stage = result.stage;
  built.beam = result.beam;
  built.output.data.name = built.name;
  built.sub_outputs = result.sub_outputs;
  built.sub_outputs.erase("before_activation");  // RETURNN: a subnetwork has no activation of its own
  for (const auto& [name, inner] : sub.built) {
    for (const auto& [local, variable] : inner->params) {
      built.params[name + "/" + local] = variable;
    }
    built.owned.insert(built.owned.end(), inner->owned.begin(), inner->owned.end());
  }
}

}  // namespace wende
