#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "network/network.h"

namespace wende {

/// A network from the source of a config.
inline std::unique_ptr<Network> network_of(const std::string& source, const NetworkOptions& options = {}) {
  const Config config = Config::from_source(source, "test.config");
  return Network::build(config, ExternData::from_config(config), options);
}

/// The text of the error that building throws; "" if there is none.
inline std::string build_error(const std::string& source, const NetworkOptions& options = {}) {
  try {
    network_of(source, options);
  } catch (const Error& error) {
    return error.status() == ExitStatus::kConfig ? error.what() : "status is not kConfig: " + std::string(error.what());
  }
  return "";
}

/// "a/W[4,6]", sorted; non-trainable ones end with "!".
inline std::vector<std::string> param_list(const Network& network) {
  std::vector<std::string> list;
  for (const ParamSpec& spec : network.params()) {
    list.push_back(spec.name + spec.shape.str() + (spec.trainable ? "" : "!"));
  }
  std::sort(list.begin(), list.end());
  return list;
}

inline std::vector<std::string> layer_names(const Network& network) {
  std::vector<std::string> names;
  for (const NetworkLayer& layer : network.layers()) {
    names.push_back(layer.name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace wende
