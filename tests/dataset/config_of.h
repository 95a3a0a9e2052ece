#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace wende {

inline Value dict_of(std::vector<std::pair<std::string, Value>> entries) {
  std::vector<Value::Entry> result;
  for (auto& [key, value] : entries) result.emplace_back(Value::of(key), std::move(value));
  return Value::dict(std::move(result));
}

/// A config without Python: made of values.
inline Config config_of(std::vector<std::pair<std::string, Value>> globals) {
  Config config;
  config.set("num_epochs", Value::of(int64_t{1}));
  for (auto& [key, value] : globals) config.set(key, std::move(value));
  return config;
}

}  // namespace wende
