#include "config/overrides.h"

#include <fmt/core.h>

#include <algorithm>
#include <memory>

#include "base/error.h"
#include "config/literal.h"

namespace wende {

namespace {

/// A value and all it contains at one place; the inner ones with their key paths.
Value placed_throughout(const Value& value, const SourceSpan& place, const std::string& path) {
  if (value.is_dict()) {
    std::vector<Value::Entry> entries;
    for (const auto& [key, item] : value.entries()) {
      const std::string inner = fmt::format("{}[{}]", path, key.repr());
      entries.emplace_back(key.placed(place, inner), placed_throughout(item, place, inner));
    }
    return Value::dict(std::move(entries)).placed(place, path);
  }
  if (value.is_sequence()) {
    std::vector<Value> items;
    for (const Value& item : value.items()) {
      items.push_back(placed_throughout(item, place, fmt::format("{}[{}]", path, items.size())));
    }
    return Value::list(std::move(items), value.kind()).placed(place, path);
  }
  return value.placed(place, path);
}

}  // namespace

std::vector<std::string> take_overrides(std::vector<std::string>& args) {
  std::vector<std::string> overrides;
  std::vector<std::string> rest;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!args[i].starts_with("++")) {
      rest.push_back(args[i]);
      continue;
    }
    if (args[i].size() == 2 || i + 1 >= args.size()) {
      throw Error(ExitStatus::kUsage, "'" + args[i] + "' needs a key and a value, as in: ++learning_rate 0.1");
    }
    overrides.push_back(args[i].substr(2));
    overrides.push_back(args[++i]);
  }
  args = rest;
  return overrides;
}

std::vector<std::pair<std::string, Value>> parse_overrides(const std::vector<std::string>& words) {
  std::vector<std::pair<std::string, Value>> overrides;
  if (words.size() % 2 != 0) throw Error(ExitStatus::kUsage, fmt::format("'{}' needs a value", words.back()));
  const auto place = SourceSpan{std::make_shared<const std::string>("command line"), 0, 0};
  for (size_t i = 0; i < words.size(); i += 2) {
    const std::string key = words[i].substr(std::min(words[i].find_first_not_of("+-"), words[i].size()));
    if (key.empty()) throw Error(ExitStatus::kUsage, fmt::format("'{}' is no option name", words[i]));
    Value value = Value::of(words[i + 1]);
    try {
      value = parse_literal(words[i + 1]);
    } catch (const Error&) {
      // Not a literal: a plain string, as in RETURNN.
    }
    overrides.emplace_back(key, placed_throughout(value, place, key));
  }
  return overrides;
}

}  // namespace wende
