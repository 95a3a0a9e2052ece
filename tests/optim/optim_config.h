#pragma once

#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

#include "config/config.h"
#include "device/choose_device.h"

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

/// These tests run on each device that a build has: WENDE_TEST_DEVICE=gpu.
inline Device test_device() {
  const char* const name = std::getenv("WENDE_TEST_DEVICE");
  return name == nullptr ? Device::cpu() : choose_device(name);
}

}  // namespace wende
