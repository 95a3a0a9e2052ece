#include <fmt/core.h>

#include <algorithm>

#include "network/construction.h"
#include "network/extra_net.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"

namespace wende {

Error NetworkConstruction::layer_not_found(const NetworkLevel& level, const std::string& name,
                                           const Value& asker) const {
  std::vector<std::string> names = level.dict.keys();
  std::erase_if(names, [](const std::string& n) { return !n.empty() && n[0] == '#'; });
  std::string list;
  for (const std::string& known : names) {
    list += (list.empty() ? "" : ", ") + known;
    if (list.size() > 300) {
      list += ", ...";
      break;
    }
  }
  Error error =
      asker.error(fmt::format("layer '{}' not found{}; layers are: {}", name,
                              level.name.empty() ? "" : " in the subnetwork of layer '" + level.name + "'", list));
  names.emplace_back("data");
  const bool several = name.find_first_of(", ") != std::string::npos && did_you_mean(name, names).empty();
  error.hint(several ? "several layers are written as a list: [\"a\", \"b\"]" : did_you_mean(name, names));
  return error;
}

const BuiltLayer& NetworkConstruction::resolve(NetworkLevel& level, const std::string& name, const Value& asker) {
  if (level.unit) {
    return resolve_in_unit(level, name, asker);
  }
  if (name.starts_with("prev:")) {
    if (level.loop) {
      return previous_layer(level, name.substr(5), asker);
    }
    throw asker.error("prefix prev: only inside a rec layer's subnetwork, got '" + name + "'");
  }
  if (name.starts_with("base:")) {
    if (!level.parent) {
      throw asker.error("prefix base: only inside a subnetwork, got '" + name + "'");
    }
    return resolve(*level.parent, name.substr(5), asker);
  }
  if (name == "data" && !level.dict.find("data")) {
    return data_source(level, level.parent ? "" : "data", asker);
  }
  if (name.starts_with("data:")) {
    return data_source(level, name.substr(5), asker);
  }
  const std::string meant = stack_.empty() || level.parent ? name : in_same_overlay(level.dict, stack_.back(), name);
  if (meant.find('/') != std::string::npos && !level.dict.find(meant)) {
    return sub_path(level, meant, asker);
  }
  return layer(level, meant, asker);
}

const BuiltLayer& NetworkConstruction::data_source(NetworkLevel& level, const std::string& key, const Value& asker) {
  if (!level.parent) {
    return extern_source(key, asker);
  }
  if (level.joined_input && (key.empty() || key == "data")) {
    return level.inputs.front();
  }
  if (!level.joined_input) {
    const bool number = !key.empty() && key.size() < 6 && std::all_of(key.begin(), key.end(), ::isdigit);
    if (number && static_cast<size_t>(std::stoi(key)) < level.inputs.size()) {
      return level.inputs[static_cast<size_t>(std::stoi(key))];
    }
    if (key.empty() || number) {
      throw asker.error(fmt::format("with concat_sources False the inputs of this subnetwork are data:0 .. data:{}",
                                    static_cast<int>(level.inputs.size()) - 1));
    }
  }
  for (NetworkLevel* around = level.parent; around; around = around->parent) {
    if (around->unit) {
      return captured_layer(level, unit_data(*around, key, asker));
    }
  }
  return extern_source(key, asker);
}

/// A layer of an enclosing level as seen in the body of this level's loop.
const BuiltLayer& NetworkConstruction::captured_layer(NetworkLevel& level, const BuiltLayer& layer) {
  const bool same_batch = in_batch_of(level, layer.output).expr == layer.output.expr;
  if (!layer.output.expr.defined() || (layer.output.expr.graph == level.graph && same_batch)) {
    return layer;
  }
  auto& imported = level.imported[&layer];
  if (!imported) {
    imported = std::make_unique<BuiltLayer>(layer);
    const auto import = [&](LayerOutput x) {
      x = in_batch_of(level, x);
      x.expr = x.expr.defined() ? level.graph->capture(x.expr) : Expr{};
      return x;
    };
    imported->output = import(layer.output);
    for (auto& [key, output] : imported->sub_outputs) {
      output = import(output);
    }
  }
  return *imported;
}

const BuiltLayer& NetworkConstruction::extern_source(const std::string& key, const Value& asker) {
  if (registers_key(key) && registered_.count(key) == 0) {
    for (const std::string& name : root_.dict.keys()) {
      const Value& dict = *root_.dict.find(name);
      const Value* target = dict.is_dict() ? dict.find("register_as_extern_data") : nullptr;
      if (target && target->is_string() && target->as_string() == key) {
        const auto open = std::find(stack_.begin(), stack_.end(), name);
        // While the layer that registers over an existing key is built, the key means the fed data.
        if (open == stack_.end() || real_->extern_data_.keys.count(key) == 0) {
          layer(root_, name, asker);
        }
      }
    }
  }
  if (const auto found = registered_.find(key); found != registered_.end()) {
    return *found->second;
  }
  auto& source = extern_sources_[key];
  if (source) {
    return *source;
  }
  const auto data = real_->extern_data_.keys.find(key);
  if (data == real_->extern_data_.keys.end()) {
    std::vector<std::string> keys;
    std::string list;
    for (const auto& [name, unused] : real_->extern_data_.keys) {
      keys.push_back(name);
      list += (list.empty() ? "'" : ", '") + name + "'";
    }
    Error error = asker.error(fmt::format("unknown data key '{}'; available keys: [{}]", key, list));
    error.hint(keys.empty() ? "the config has no extern_data (nor num_inputs), which says what the datasets give"
                            : did_you_mean(key, keys));
    throw error;
  }
  source = std::make_unique<BuiltLayer>();
  source->name = "data:" + key;
  source->class_name = "source";
  const ScopeGuard scope(graph(), source->name);
  source->output = {data->second, ops::input(graph(), source->name, data->second.dtype, data->second.dims)};
  real_->used_keys_.push_back(key);
  return *source;
}

/// "sub/x": a layer of a subnetwork, or an output that the layer registered under "x".
const BuiltLayer& NetworkConstruction::sub_path(NetworkLevel& level, const std::string& path, const Value& asker) {
  const size_t slash = path.find('/');
  const std::string head = path.substr(0, slash);
  const std::string tail = path.substr(slash + 1);
  const Value* dict = find_layer_dict(level.dict, head);
  if (!dict) {
    throw layer_not_found(level, head, asker);
  }
  const Value* klass = dict->is_dict() ? dict->find("class") : nullptr;
  if (klass && klass->is_string() && klass->as_string() == "subnetwork") {
    return resolve(subnetwork(level, head, *dict), tail, asker);
  }
  if (is_masked_computation(dict)) {
    return masked_sub_layer(level, path, asker);
  }
  if (const Value* unit = dict->find("unit"); unit && unit->is_dict() && klass && klass->as_string() == "rec") {
    const BuiltLayer& rec = layer(level, head, asker);
    if (rec.unit && unit->find(tail.substr(0, tail.find('/')))) {
      auto& inner = level.sub_outputs[path];
      if (!inner) {
        inner = std::make_unique<BuiltLayer>(resolve(rec.unit->after, tail, asker));
        inner->output = rec.unit->outside(inner->output);
      }
      return *inner;
    }
  }
  const BuiltLayer& owner = layer(level, head, asker);
  const auto found = owner.sub_outputs.find(tail);
  if (found == owner.sub_outputs.end()) {
    std::vector<std::string> names;
    for (const auto& [key, unused] : owner.sub_outputs) {
      names.push_back(key);
    }
    throw asker.error(fmt::format("layer '{}' (class {}) has no sub-layer '{}'", owner.name, owner.class_name, tail))
        .hint(did_you_mean(tail, names));
  }
  auto& sub = level.sub_outputs[path];
  if (!sub) {
    sub = std::make_unique<BuiltLayer>();
    sub->name = owner.name + "/" + tail;
    sub->class_name = owner.class_name;
    sub->stage = owner.stage;
    sub->beam = owner.beam;
    sub->output = found->second;
    sub->output.data.name = sub->name;
  }
  return *sub;
}

}  // namespace wende
