#include "config/type_check.h"

#include <fmt/core.h>

#include <map>
#include <vector>

namespace wende {
namespace {

bool is_of_type(const Value& value, const std::string& type) {
  using Kind = Value::Kind;
  const Kind kind = value.kind();
  if (type == "bool") {
    return kind == Kind::kBool || (kind == Kind::kInt && (value.as_int() == 0 || value.as_int() == 1));
  }
  if (type == "float") {
    return kind == Kind::kFloat || kind == Kind::kInt;
  }
  static const std::map<std::string, Kind> kKinds = {
      {"None", Kind::kNone},         {"int", Kind::kInt},    {"str", Kind::kString}, {"list", Kind::kList},
      {"tuple", Kind::kTuple},       {"set", Kind::kSet},    {"dict", Kind::kDict},  {"Dim", Kind::kDim},
      {"function", Kind::kCallable}, {"array", Kind::kArray}};
  const auto found = kKinds.find(type);
  if (found == kKinds.end()) {
    throw internal_error("unknown type '" + type + "' of an option");
  }
  return kind == found->second;
}

/// The alternatives without what is in brackets.
std::vector<std::string> alternatives(const std::string& type) {
  std::vector<std::string> result(1);
  int depth = 0;
  for (const char c : type) {
    depth += c == '[' ? 1 : 0;
    if (depth == 0 && c == '|') {
      result.emplace_back();
    } else if (depth == 0) {
      result.back() += c;
    }
    depth -= c == ']' ? 1 : 0;
  }
  return result;
}

}  // namespace

void check_type(const Value& value, const std::string& type) {
  std::string wanted;
  const std::vector<std::string> types = alternatives(type);
  for (size_t i = 0; i < types.size(); ++i) {
    if (is_of_type(value, types[i])) {
      return;
    }
    wanted += (i == 0 ? "" : i + 1 == types.size() ? " or " : ", ") + types[i];
  }
  // The plain conversions know the usual slips: quotes around numbers, 1.0 for 1.
  if (types.front() == "bool") {
    value.as_bool();
  } else if (types.front() == "int" && !value.is_none()) {
    value.as_int();
  } else if (types.front() == "float" && !value.is_none()) {
    value.as_float();
  }
  throw value.error(fmt::format("expected {}, got {}", wanted,
                                value.is_none() ? "None" : fmt::format("{} {}", value.type_name(), value.repr())));
}

}  // namespace wende
