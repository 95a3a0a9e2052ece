#include "config/args.h"

#include <fmt/core.h>

#include <algorithm>

#include "config/option_range.h"
#include "config/value_text.h"

namespace wende {

// True where a bool is wanted may be written 1, but a number is never taken from True, nor a bool from "no".
void read_value(const Value& value, bool& out) { out = value.as_bool(); }
void read_value(const Value& value, int64_t& out) { out = value.as_int(); }
void read_value(const Value& value, double& out) { out = value.as_float(); }
void read_value(const Value& value, std::string& out) { out = value.as_string(); }
void read_value(const Value& value, Value& out) { out = value; }

void ArgsReader::finish(const std::string& what) {
  for (const auto& [key, value] : dict_.entries()) {
    if (!key.is_string()) {
      errors_.add(value.error(fmt::format("option names of {} are strings, got {}", what, key.repr())));
      continue;
    }
    const std::string& name = key.as_string();
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) {
      errors_.run([&, &value = value] { check_range(name, value); });
      continue;
    }
    Error error = value.error(fmt::format("unknown option {} for {}", key.repr(), what));
    error.code("C104");
    std::string hint = did_you_mean(name, known_);
    if (hint.empty() && !known_.empty()) {
      std::vector<std::string> sorted = known_;
      std::sort(sorted.begin(), sorted.end());
      hint = "known options:";
      for (size_t i = 0; i < sorted.size() && i < 40; ++i) hint += (i > 0 ? ", " : " ") + sorted[i];
      if (sorted.size() > 40) hint += ", ...";
    }
    error.hint(std::move(hint));
    errors_.add(error);
  }
  errors_.throw_if_any();
}

std::string ArgsDoc::default_text(const double& value) { return float_repr(value); }

}  // namespace wende
