#include "optim/optimizer_options.h"

#include <fmt/core.h>

#include <utility>

namespace wende {

const Value* given(const Config& config, const char* name) {
  const Value* value = config.find(name);
  if (value == nullptr || value->is_none()) return nullptr;
  if (value->kind() == Value::Kind::kBool && !value->as_bool()) return nullptr;
  return value;
}

Value default_optimizer_options(const Config& config, const OptimizerDefaults& defaults) {
  if (const Value* value = given(config, "optimizer")) {
    bool empty = value->is_dict() && value->entries().empty();
    if (value->is_string()) return Value::dict({{Value::of("class"), *value}});
    if (!empty) return *value;
  }
  auto of_class = [](const char* name) { return Value::dict({{Value::of("class"), Value::of(name)}}); };
  for (const auto& [option, name] : {std::pair{"adam", "adam"}, std::pair{"nadam", "nadamkeras"},
                                     std::pair{"adadelta", "adadelta"}, std::pair{"adagrad", "adagrad"}}) {
    const Value* value = given(config, option);
    if (value == nullptr || !value->as_bool()) continue;
    if (defaults.momentum != 0) {
      throw config.find("momentum")
          ->error(fmt::format("momentum and {} exclude each other", option))
          .hint("use optimizer = {\"class\": ...} for one of them");
    }
    return of_class(name);
  }
  if (const Value* value = given(config, "rmsprop")) {
    Value options = of_class("rmsprop");
    return value->kind() == Value::Kind::kFloat ? options.with("decay", *value) : options;
  }
  return of_class(defaults.momentum != 0 ? "momentum" : "gradientdescent");
}

}  // namespace wende
