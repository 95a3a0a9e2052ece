#include "config/config.h"

namespace wende {

bool Config::get_bool(const std::string& key, bool fallback) const {
  const Value* value = find(key);
  return value && !value->is_none() ? value->as_bool() : fallback;
}

int64_t Config::get_int(const std::string& key, int64_t fallback) const {
  const Value* value = find(key);
  return value && !value->is_none() ? value->as_int() : fallback;
}

double Config::get_float(const std::string& key, double fallback) const {
  const Value* value = find(key);
  return value && !value->is_none() ? value->as_float() : fallback;
}

std::string Config::get_string(const std::string& key, const std::string& fallback) const {
  const Value* value = find(key);
  return value && !value->is_none() ? value->as_string() : fallback;
}

}  // namespace wende
