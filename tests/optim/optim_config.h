#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/config.h"

namespace wende {

using Options = std::vector<std::pair<std::string, Value>>;

inline Value dict_of(const Options& options) {
  std::vector<Value::Entry> entries;
  for (const auto& [key, value] : options) entries.emplace_back(Value::of(key), value);
  return Value::dict(entries);
}

/// A config without a file; needs no Python.
inline Config config_of(const Options& options) {
  Config config;
  config.set("task", Value::of("train"));
  for (const auto& [key, value] : options) config.set(key, value);
  return config;
}

}  // namespace wende
