#include <fmt/core.h>

#include "layers/alignment.h"
#include "network/network_built_layer.h"
#include "network/rec_subnet.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct CondArgs {
  Value condition, true_layer, false_layer;

  template <class V>
  void fields(V& v) {
    v.field("condition", condition, "layer, or the dict of one: a bool scalar");
    v.field("true_layer", true_layer, "layer, or the dict of one, whose output this is where the condition holds");
    v.field("false_layer", false_layer, "the same for where it does not hold");
  }
};

class CondLayer : public NetworkBuiltLayer {
 public:
  explicit CondLayer(const CondArgs& args) {
    for (const auto& [name, value] :
         {std::pair("condition", &args.condition), std::pair("true_layer", &args.true_layer),
          std::pair("false_layer", &args.false_layer)}) {
      if (!value->is_string() && !value->is_dict()) {
        throw value->error(fmt::format("cond needs '{}': a layer or the dict of one, got {}", name, value->repr()));
      }
    }
  }
};

const RegisterLayer<CondLayer, CondArgs> kRegister{
    "cond",
    {},
    "One of two layers, as a bool says. Both are computed; the gradient of the other one is 0.",
    {R"x({"class": "cond", "from": [], )x"
     R"x("condition": {"class": "eval", "from": [], "eval": "tf.equal(self.network.global_train_step % 2, 0)", )x"
     R"x("out_type": {"batch_dim_axis": None, "shape": (), "dtype": "bool"}}, )x"
     R"x("true_layer": {"class": "linear", "activation": "tanh", "n_out": 3, "from": "data"}, )x"
     R"x("false_layer": {"class": "linear", "activation": None, "n_out": 3, "name_scope": "other", "from": "data"}})x"}};

/// `no` with the axes of `yes`.
LayerOutput chosen(Expr condition, const LayerOutput& yes, const LayerOutput& no, const Value& place) {
  LayerOutput result = yes;
  if (yes.data.dtype != no.data.dtype) {
    throw place.error(fmt::format("true_layer gives {}, false_layer {}", yes.data.str(), no.data.str()));
  }
  result.expr = ops::where(condition, yes.expr, broadcast_to_layout(no, yes.data));
  return result;
}

}  // namespace

/// A layer whose dict stands in the option `key` of the layer `name`: under that name, so that its parameters are
/// called after it.
BuiltLayer NetworkConstruction::construct_branch(NetworkLevel& level, const std::string& name, const Value& option,
                                                 const std::string& key) {
  if (option.is_string()) {
    return resolve(level, option.as_string(), option);
  }
  BuiltLayer branch;
  branch.name = level.absolute(name);
  branch.level = &level;
  construct_layer(level, name, option, branch);
  std::erase_if(network_->layers_, [&](const NetworkLayer& layer) { return layer.name == branch.name; });
  if (const auto sub = level.subnetworks.find(name); sub != level.subnetworks.end()) {
    auto inner = std::move(sub->second);
    level.subnetworks.erase(sub);
    for (const auto& [inner_name, layer] : inner->built) {
      if (wanted(*inner, inner_name, layer->options)) {
        branch.sub_outputs[inner_name] = layer->output;
      }
    }
    level.subnetworks[name + "(" + key + ")"] = std::move(inner);
  }
  return branch;
}

/// Both layers are built. RETURNN runs only one of them; the numbers and gradients are the same.
void NetworkConstruction::construct_cond(LayerPlan& plan, BuiltLayer& built) {
  NetworkLevel& level = *plan.level;
  const Value& dict = plan.options;
  const Value& condition_option = *dict.find("condition");
  const BuiltLayer condition = construct_branch(level, plan.name, condition_option, "condition");
  const Data& flag = condition.output.data;
  if (flag.rank() != 0 || flag.dtype != DType::kBool) {
    throw condition_option.error("the condition must be a bool scalar, got " + flag.str())
        .hint("the layer 'switch' takes a condition per sequence or frame");
  }
  const BuiltLayer yes = construct_branch(level, plan.name, *dict.find("true_layer"), "true_layer");
  const BuiltLayer no = construct_branch(level, plan.name, *dict.find("false_layer"), "false_layer");
  built.output = chosen(condition.output.expr, yes.output, no.output, dict);
  built.output.data.name = built.name;
  for (const auto& [key, output] : yes.sub_outputs) {
    const auto other = no.sub_outputs.find(key);
    if (other != no.sub_outputs.end() && key != "logits" && other->second.data.rank() == output.data.rank()) {
      built.sub_outputs[key] = chosen(condition.output.expr, output, other->second, dict);
    }
  }
  for (const BuiltLayer* branch : {&condition, &yes, &no}) {
    if (branch->name == built.name) {
      built.params.insert(branch->params.begin(), branch->params.end());
      built.owned.insert(built.owned.end(), branch->owned.begin(), branch->owned.end());
    }
  }
}

}  // namespace wende
