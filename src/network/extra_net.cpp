#include "network/extra_net.h"

#include <cctype>

namespace wende {

std::string extra_prefix(const std::string& name) {
  const size_t colon = name.find(':');
  if (!name.starts_with("extra") || colon == std::string::npos || (colon > 5 && (name[5] != '.' || colon == 6))) {
    return "";
  }
  for (size_t i = 6; i < colon; ++i) {
    const char c = name[i];
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '_' && c != '.' && c != '(' && c != ')') {
      return "";
    }
  }
  return name.substr(0, colon + 1);
}

bool extra_net_searches(const std::string& name) { return extra_prefix(name).find(".search") != std::string::npos; }

const Value* find_layer_dict(const Value& network, const std::string& name) {
  const std::string prefix = extra_prefix(name);
  const Value* own = network.find(name);
  return own || prefix.empty() ? own : network.find(name.substr(prefix.size()));
}

std::string in_same_overlay(const Value& network, const std::string& asking_layer, const std::string& name) {
  const std::string prefix = extra_prefix(asking_layer);
  const bool own = !prefix.empty() && network.find(prefix + name.substr(0, name.find('/'))) != nullptr;
  return own && asking_layer != prefix + name ? prefix + name : name;
}

}  // namespace wende
