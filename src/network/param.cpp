#include <fmt/core.h>

#include "graph/executor.h"
#include "layers/dim_tag.h"
#include "layers/eval_trace.h"
#include "layers/initializer.h"
#include "layers/out_type.h"
#include "network/construction.h"
#include "network/extra_net.h"
#include "network/known_classes.h"
#include "ops/dropout.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

std::string joined(const std::string& scope, const std::string& name) {
  return scope.empty() || name.empty() ? scope + name : scope + "/" + name;
}

/// The variables of a cell are in the folder "rec", unless a name_scope says where.
std::string name_in_scope(const Value& options, const std::string& local) {
  const Value* scope = options.find("name_scope");
  return scope && !scope->is_none() && local.starts_with("rec/") ? local.substr(4) : local;
}

/// RETURNN's maps name a variable by its last part as well: "W" for "rec/W".
std::string last_part(const std::string& name) { return name.substr(name.rfind('/') + 1); }

/// The "shape" of an entry in the map of reuse_params: sizes or dim tags.
void check_reuse_shape(const Value& given, const std::string& local, const Shape& shape) {
  if (given.is_none()) {
    return;
  }
  std::vector<int64_t> sizes;
  for (const Value& entry : given.items()) {
    const Value* size = entry.kind() == Value::Kind::kDim ? entry.find("dimension") : &entry;
    sizes.push_back(size ? size->as_int() : -1);
  }
  if (!(Shape(sizes) == shape)) {
    throw given.error(
        fmt::format("reuse_params: shape {} of '{}', but the layer needs {}", given.repr(), local, shape.str()));
  }
}

template <class Map>
auto find_local(Map& map, const std::string& local) {
  const auto exact = map.find(local);
  return exact != map.end() ? exact : map.find(last_part(local));
}

}  // namespace

/// name_scope: None = the layer's name, "x" replaces it, "" = the scope around, "/x" absolute.
void NetworkConstruction::resolve_scope(LayerPlan& plan) {
  const Value* given = plan.options.find("name_scope");
  const std::string& around = plan.level->scope;
  if (!given || given->is_none()) {
    plan.scope = joined(around, plan.name.substr(extra_prefix(plan.name).size()));
  } else if (given->as_string().starts_with("/")) {
    plan.scope = given->as_string().substr(1);
  } else {
    plan.scope = joined(around, given->as_string());
  }
  plan.trainable = plan.level->trainable && flag(plan.options, "trainable", true);
}

namespace {

/// The output with its axes in the order of these Dims.
Expr in_order(const LayerOutput& output, const Value& shape) {
  std::vector<int> order;
  for (const Value& tag : shape.items()) {
    const int axis = tag.kind() == Value::Kind::kDim ? axis_of_tag(output.data, tag) : -1;
    if (axis < 0) {
      throw tag.error(fmt::format("'shape' in the map of reuse_params: {} is no axis of {}",
                                  tag.kind() == Value::Kind::kDim ? tag_text(tag) : tag.repr(), output.data.str()));
    }
    order.push_back(axis);
  }
  if (static_cast<int>(order.size()) != output.data.rank()) {
    throw shape.error("'shape' in the map of reuse_params does not name all axes of " + output.data.str());
  }
  return ops::permute(output.expr, order);
}

}  // namespace

ParamReuse::Entry NetworkConstruction::reuse_entry(LayerPlan& plan, const Value& value) {
  ParamReuse::Entry entry;
  if (value.is_none()) {
    entry.own = true;
    return entry;
  }
  if (value.is_string()) {
    entry.layer = &resolve(*plan.level, value.as_string(), value);
    return entry;
  }
  for (const std::string& key : value.keys()) {
    const Value& option = *value.find(key);
    if (key == "reuse_layer") {
      entry.layer = &resolve(*plan.level, option.as_string(), option);
    } else if (key == "layer_output") {
      entry.value = resolve(*plan.level, option.as_string(), option).output.expr;
    } else if (key == "auto_create_missing") {
      entry.auto_create_missing = option.as_bool();
    } else if (key == "custom") {
      if (!option.is_callable()) {
        throw option.error("'custom' in the map of reuse_params is a function, got " + option.repr());
      }
      entry.custom = option;
    } else if (key == "shape") {
      entry.shape = option;
    } else {
      throw option.error("unknown option '" + key + "' in the map of reuse_params")
          .hint(did_you_mean(key, {"reuse_layer", "layer_output", "auto_create_missing", "custom", "shape"}));
    }
  }
  if (const Value* output = value.find("layer_output"); output && entry.shape.is_sequence()) {
    entry.value = in_order(resolve(*plan.level, output->as_string(), *output).output, entry.shape);
  }
  return entry;
}

void NetworkConstruction::resolve_reuse(LayerPlan& plan) {
  const Value* given = plan.options.find("reuse_params");
  if (!given || given->is_none() || (given->is_dict() && given->entries().empty())) {
    return;
  }
  plan.reuse.active = true;
  if (given->is_string()) {
    plan.reuse.layer = &resolve(*plan.level, given->as_string(), *given);
    return;
  }
  if (!given->is_dict()) {
    throw given->error(fmt::format("reuse_params must be a layer name or a dict, got {}", given->type_name()));
  }
  for (const std::string& key : given->keys()) {
    const Value& option = *given->find(key);
    if (key == "reuse_layer") {
      plan.reuse.layer = option.is_none() ? nullptr : &resolve(*plan.level, option.as_string(), option);
    } else if (key == "auto_create_missing") {
      plan.reuse.auto_create_missing = option.as_bool();
    } else if (key == "map") {
      for (const std::string& param : option.keys()) {
        plan.reuse.map[param] = reuse_entry(plan, *option.find(param));
      }
    } else {
      throw option.error("unknown option '" + key + "' of reuse_params")
          .hint(did_you_mean(key, {"reuse_layer", "map", "auto_create_missing"}));
    }
  }
}

/// The parameter as custom(reuse_layer=, name=, shape=, ...) makes it: traced, with `reuse_layer.params` by local name.
Expr NetworkConstruction::custom_param(const ParamReuse::Entry& entry, const std::string& local, const Shape& shape) {
  const GraphTrace trace(graph());
  Value reuse_layer;
  if (entry.layer) {
    std::vector<Value::Entry> params;
    for (const auto& [name, variable] : entry.layer->params) {
      params.emplace_back(Value::of(name), traced(*param_leaf(variable)));
    }
    reuse_layer = Value::dict({{Value::of("__wende_layer__"), Value::of(entry.layer->name)},
                               {Value::of("output"), data_value(entry.layer->output.data, 0)},
                               {Value::of("params"), Value::dict(std::move(params))}});
  }
  std::vector<Value> sizes;
  for (const int64_t size : shape) {
    sizes.push_back(Value::of(size));
  }
  const Value result = entry.custom.as_callable().call({}, {{"base_layer", Value()},
                                                            {"reuse_layer", reuse_layer},
                                                            {"name", Value::of(last_part(local))},
                                                            {"getter", Value()},
                                                            {"full_name", Value::of(local)},
                                                            {"shape", Value::list(sizes, Value::Kind::kTuple)}});
  const Expr value = is_traced(result) ? traced_expr(graph(), result) : Expr{};
  bool fits = value.defined() && value.rank() == static_cast<int>(sizes.size());
  for (int i = 0; fits && i < value.rank(); ++i) {
    fits = value.dim(i).is_static() && value.dim(i).size() == sizes[static_cast<size_t>(i)].as_int();
  }
  if (!fits) {
    throw entry.custom.error(fmt::format("the function must return a tensor of shape {} for '{}', got {}", shape.str(),
                                         local, value.defined() ? value.type().str() : result.repr()));
  }
  return value;
}

Expr NetworkConstruction::shared_param(const BuiltLayer& owner, const std::string& local, const Shape& shape,
                                       const Value& place) {
  const auto found = find_local(owner.params, local);
  if (found == owner.params.end()) {
    return {};
  }
  for (const Network* network : {network_, real_.get()}) {
    for (const ParamSpec& spec : network->params_) {
      if (spec.name == found->second && !(spec.shape == shape)) {
        throw place.error(fmt::format("parameter '{}' of layer '{}' has shape {}, but shape {} is needed here",
                                      spec.name, owner.name, spec.shape.str(), shape.str()));
      }
    }
  }
  return *param_leaf(found->second);
}

/// nullptr if there is no such variable (yet). Template passes see those of the real network too.
const Expr* NetworkConstruction::param_leaf(const std::string& name) const {
  for (const Network* network : {network_, real_.get()}) {
    if (const auto found = network->param_exprs_.find(name); found != network->param_exprs_.end()) {
      return &found->second;
    }
  }
  return nullptr;
}

/// RETURNN's updater knows a parameter through a layer of the root. A rec layer lists those below its own scope alone:
/// what its unit has elsewhere ("name_scope": "/x") is not trained, unless a layer outside has it as well.
bool NetworkConstruction::updater_knows(const LayerPlan& plan, const std::string& name) {
  std::string listed;  // by the outermost rec layer around
  for (const NetworkLevel* level = plan.level; level != nullptr; level = level->parent) {
    if (level->unit != nullptr) listed = level->scope + "/";
  }
  return name.starts_with(listed);
}

Expr NetworkConstruction::variable(const LayerPlan& plan, const std::string& name, const Shape& shape,
                                   const Value& init, const std::string& fallback, uint32_t seed, bool trainable) {
  if (const auto found = network_->param_exprs_.find(name); found != network_->param_exprs_.end()) {
    for (ParamSpec& spec : network_->params_) {
      if (spec.name != name) continue;
      if (updater_knows(plan, name) && network_->unlisted_params_.erase(name) > 0)
        spec.trainable = trainable && plan.trainable;
      if (!(spec.shape == shape)) {
        throw plan.options.error(fmt::format("parameter '{}' has shape {} in layer '{}' but shape {} in layer '{}'",
                                             name, spec.shape.str(), spec.layer, shape.str(),
                                             plan.context.absolute_name));
      }
    }
    return found->second;
  }
  ParamSpec spec;
  spec.name = name;
  spec.shape = shape;
  const bool known = updater_knows(plan, name);
  if (!known) network_->unlisted_params_.insert(name);
  spec.trainable = known && trainable && plan.trainable;
  spec.init = make_initializer(init, fallback, seed);
  spec.layer = plan.context.absolute_name;
  std::vector<Dim> dims;
  for (const int64_t size : shape) {
    dims.push_back(Dim::fixed(size));
  }
  const Expr expr = ops::parameter(graph(), name, spec.dtype, std::move(dims));
  network_->params_.push_back(std::move(spec));
  network_->param_exprs_[name] = expr;
  if (const Value* opts = plan.options.find("updater_opts"); opts && !opts->is_none()) {
    network_->updater_opts_[name] = *opts;
  }
  return expr;
}

Expr NetworkConstruction::param(LayerPlan& plan, BuiltLayer& layer, const std::string& local, const Shape& shape,
                                const Value& init, const std::string& fallback, bool trainable) {
  Expr expr;
  const uint32_t seed = initial_seed(plan, init, fallback);
  const Value* place = plan.options.find("reuse_params");
  if (plan.reuse.active) {
    const auto entry = find_local(plan.reuse.map, local);
    const bool mapped = entry != plan.reuse.map.end();
    if (mapped) {
      check_reuse_shape(entry->second.shape, local, shape);
    }
    const BuiltLayer* owner = mapped ? entry->second.layer : plan.reuse.layer;
    const bool create =
        mapped ? entry->second.own || entry->second.auto_create_missing : plan.reuse.auto_create_missing;
    expr = mapped ? entry->second.value : Expr{};
    if (mapped && !entry->second.custom.is_none()) {
      expr = custom_param(entry->second, local, shape);
    } else if (owner && !(mapped && entry->second.own)) {
      expr = shared_param(*owner, local, shape, *place);
      for (const auto& [name, variable_name] : owner->params) {
        if (name == local || name == last_part(local)) {
          layer.params[local] = variable_name;
        }
      }
    }
    if (!expr.defined() && !create) {
      throw place->error(fmt::format("reuse_params gives no parameter for '{}' of shape {}{}", local, shape.str(),
                                     owner ? " (layer '" + owner->name + "' has none of that name)" : ""));
    }
  }
  if (!expr.defined()) {
    const std::string name = joined(plan.scope, name_in_scope(plan.options, local));
    expr = variable(plan, name, shape, init, fallback, seed, trainable);
    layer.params[local] = name;
    layer.owned.push_back(name);
  }
  return plan.level->graph->capture(with_noise(plan, local, expr));
}

/// A layer that borrows the parameter leaves the assignment to the owner too: one value per step.
void NetworkConstruction::assign(const BuiltLayer& layer, const std::string& local, Expr value) {
  if (network_ != real_.get()) {
    return;
  }
  if (value.graph != &graph()) {
    throw Error(ExitStatus::kConfig,
                "running statistics (batch_norm) inside of a loop are not supported by "
                "Wende " WENDE_VERSION);
  }
  const auto found = layer.params.find(local);
  if (found == layer.params.end()) {
    throw internal_error(fmt::format("layer '{}' assigns '{}', which is no parameter of it", layer.name, local));
  }
  for (ParamAssignment& assignment : network_->assignments_) {
    if (assignment.param == found->second) {
      assignment.value = value;
      return;
    }
  }
  network_->assignments_.push_back({found->second, value, updates_with_optimizer(layer.class_name)});
}

void NetworkConstruction::initialize_with(const BuiltLayer& layer, const std::string& local, Expr value) {
  const std::string& name = layer.params.at(local);
  for (Expr outside = value; outside.defined(); outside = value.graph->captured(value)) {
    value = outside;
  }
  for (ParamSpec& spec : network_->params_) {
    if (spec.name != name) {
      continue;
    }
    spec.init = [value, name](const Tensor& target, uint64_t seed) {
      Executor executor(*value.graph, {{value, {}}});
      if (!executor.leaf_names().empty()) {
        throw Error(ExitStatus::kConfig,
                    fmt::format("the initial value of '{}' depends on '{}', which is not known yet", name,
                                executor.leaf_names().front()));
      }
      RunOptions options;
      options.seed = seed;
      target.copy_from(executor.run(Binding(), options).at(0).reshaped(target.shape()));
    };
  }
}

double NetworkConstruction::noise_option(const Value& options, const char* key) const {
  const Value* value = options.find(key);
  if (!value) {
    value = config_.find(key);
  }
  return value && !value->is_none() ? value->as_float() : 0.0;
}

/// Noise acts where the parameter is read; the stored value stays clean.
Expr NetworkConstruction::with_noise(const LayerPlan& plan, const std::string& local, Expr value) {
  if (!options_.train || value.dtype() != DType::kFloat32) {
    return value;
  }
  const std::string name = plan.context.absolute_name + "/" + local;
  if (const double stddev = noise_option(plan.options, "param_variational_noise"); stddev > 0) {
    const uint32_t key = name_hash(name + ":param_variational_noise");
    value = ops::add(value, ops::random_normal(*value.graph, value.dims(), stddev, key));
  }
  const double rate = noise_option(plan.options, "param_dropout");
  if (rate > 0 && value.rank() >= static_cast<int>(noise_option(plan.options, "param_dropout_min_ndim"))) {
    const uint32_t key = name_hash(name + ":param_dropout");
    value = ops::mul(value, ops::dropout_mask(*value.graph, value.dims(), 1.0 - rate, key));
  }
  return value;
}

}  // namespace wende
