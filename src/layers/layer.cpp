#include "layers/layer.h"

namespace wende {

LayerRegistry& LayerRegistry::instance() {
  static LayerRegistry registry;
  return registry;
}

void LayerRegistry::add(LayerClass entry) {
  for (const std::string& alias : entry.aliases) {
    aliases_[alias] = entry.name;
  }
  const std::string name = entry.name;
  if (!classes_.emplace(name, std::move(entry)).second) {
    throw internal_error("layer class '" + name + "' is registered twice");
  }
}

const LayerClass* LayerRegistry::find(const std::string& name) const {
  const auto alias = aliases_.find(name);
  const auto it = classes_.find(alias == aliases_.end() ? name : alias->second);
  return it == classes_.end() ? nullptr : &it->second;
}

std::vector<std::string> LayerRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : classes_) {
    names.push_back(name);
  }
  return names;
}

}  // namespace wende
