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

OptimizerDefaults optimizer_defaults(const Config& config) {
  OptimizerDefaults defaults;
  defaults.epsilon = config.get_float("optimizer_epsilon", defaults.epsilon);
  defaults.momentum = given(config, "momentum") != nullptr ? config.get_float("momentum", 0) : 0;
  return defaults;
}

Value optimizer_options(const Value& updater_opts, const Value& default_options) {
  const Value* own = updater_opts.is_dict() ? updater_opts.find("optimizer") : nullptr;
  if (own == nullptr || own->is_none()) return default_options;
  return own->is_string() ? Value::dict({{Value::of("class"), *own}}) : *own;
}

std::unique_ptr<Optimizer> optimizer_of(const Value& options, const Value& default_options,
                                        const OptimizerDefaults& defaults) {
  if (!options.is_dict()) {
    throw options.error(fmt::format("optimizer is {}, a dict or a name is needed", options.repr()));
  }
  if (const Value* rate = options.find("learning_rate")) {
    throw rate->error("optimizer: the learning rate is not given here")
        .hint("use learning_rate of the config, or learning_rate_multiplier here");
  }
  const Value* name = options.find("class");
  if (name == nullptr) name = default_options.find("class");
  if (name == nullptr) throw options.error("optimizer has no 'class'");
  const Value rest = options.without("class").without("learning_rate_multiplier");
  return make_optimizer(name->as_string(), *name, rest, defaults);
}

}  // namespace wende
