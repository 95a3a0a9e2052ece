#include "layers/initializer.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <set>

#include "config/config.h"
#include "layers/eval_trace.h"
#include "layers/filler.h"

namespace wende {
namespace {

/// TF's name in snake case without "_initializer", and its arguments in positional order.
struct InitClass {
  const char* dict_name;  ///< the class name of dict forms
  std::vector<const char*> args;
};

const std::map<std::string, InitClass>& init_classes() {
  static const std::map<std::string, InitClass> classes{
      {"zeros", {"Zeros", {}}},
      {"ones", {"Ones", {}}},
      {"constant", {"Constant", {"value"}}},
      {"identity", {"Identity", {"gain"}}},
      {"random_uniform", {"RandomUniform", {"minval", "maxval", "seed", "dtype"}}},
      {"random_normal", {"RandomNormal", {"mean", "stddev", "seed", "dtype"}}},
      {"truncated_normal", {"TruncatedNormal", {"mean", "stddev", "seed", "dtype"}}},
      {"orthogonal", {"Orthogonal", {"gain", "seed"}}},
      {"variance_scaling", {"VarianceScaling", {"scale", "mode", "distribution", "seed"}}},
      {"uniform_unit_scaling", {"UniformUnitScaling", {"factor", "seed"}}},
      {"glorot_uniform", {"GlorotUniform", {"seed"}}},
      {"glorot_normal", {"GlorotNormal", {"seed"}}},
      {"xavier", {"Xavier", {"uniform", "seed"}}},
      {"he_normal", {"HeNormal", {"seed"}}},
      {"he_uniform", {"HeUniform", {"seed"}}},
      {"lecun_normal", {"LecunNormal", {"seed"}}},
      {"lecun_uniform", {"LecunUniform", {"seed"}}}};
  return classes;
}

std::vector<std::string> initializer_names() {
  std::vector<std::string> names;
  for (const auto& [name, entry] : init_classes()) {
    names.push_back(name);
    names.push_back(entry.dict_name);
  }
  return names;
}

/// Fan sizes as TF: [..., in, out] with the leading axes as receptive field.
std::pair<double, double> fans(const Shape& shape) {
  if (shape.rank() == 0) {
    return {1, 1};
  }
  if (shape.rank() == 1) {
    return {static_cast<double>(shape[0]), static_cast<double>(shape[0])};
  }
  double field = 1;
  for (int i = 0; i < shape.rank() - 2; ++i) {
    field *= static_cast<double>(shape[i]);
  }
  return {field * static_cast<double>(shape[shape.rank() - 2]), field * static_cast<double>(shape[shape.rank() - 1])};
}

struct VarianceScaling {
  double scale = 1.0;
  std::string mode = "fan_in";
  std::string distribution = "truncated_normal";
};

void variance_scaling(Filler& filler, const Shape& shape, const VarianceScaling& options) {
  const auto [fan_in, fan_out] = fans(shape);
  const double n = options.mode == "fan_in" ? fan_in : options.mode == "fan_out" ? fan_out : (fan_in + fan_out) / 2;
  const double variance = options.scale / std::max(1.0, n);
  if (options.distribution == "uniform") {
    const double limit = std::sqrt(3.0 * variance);
    filler.uniform(-limit, limit);
  } else if (options.distribution == "untruncated_normal") {
    filler.normal(0, std::sqrt(variance));
  } else {
    // 0.8796...: the standard deviation of a standard normal cut at two.
    filler.truncated_normal(0, std::sqrt(variance) / 0.87962566103423978);
  }
}

VarianceScaling scaling_by_name(const std::string& name) {
  const double scale = name.rfind("he_", 0) == 0 ? 2.0 : 1.0;
  const bool glorot = name.rfind("glorot", 0) == 0 || name == "xavier";
  const bool uniform = name.find("uniform") != std::string::npos || name == "xavier";
  return {scale, glorot ? "fan_avg" : "fan_in", uniform ? "uniform" : "truncated_normal"};
}

[[noreturn]] void throw_unknown(const Value& option, const std::string& name) {
  std::string hint = did_you_mean(name, initializer_names());
  if (hint.empty()) {
    hint = "known:";
    for (const auto& [known, entry] : init_classes()) {
      hint += " " + known;
    }
  }
  throw option.error("unknown initializer '" + name + "'").hint(hint);
}

/// The canonical name for "glorot_uniform_initializer", "GlorotUniform", "xavier_initializer", ...
std::string canonical(const Value& option, std::string name) {
  const std::string suffix = "_initializer";
  if (name.size() > suffix.size() && name.compare(name.size() - suffix.size(), suffix.size(), suffix) == 0) {
    name.resize(name.size() - suffix.size());
  }
  if (init_classes().count(name) > 0) {
    return name;
  }
  for (const auto& [known, entry] : init_classes()) {
    if (name == entry.dict_name) {
      return known;
    }
  }
  throw_unknown(option, name);
}

double number(const Value& dict, const char* key, double fallback) {
  const Value* value = dict.find(key);
  const double result = value == nullptr || value->is_none() ? fallback : value->as_float();
  if (!std::isfinite(result)) {
    throw value->error(fmt::format("{} of an initializer must be finite, got {}", key, value->repr()));
  }
  return result;
}

std::string text(const Value& dict, const char* key, const std::string& fallback,
                 const std::vector<std::string>& allowed) {
  const Value* value = dict.find(key);
  if (value == nullptr) {
    return fallback;
  }
  const std::string& word = value->as_string();
  for (const std::string& known : allowed) {
    if (word == known) {
      return word;
    }
  }
  throw value->error(fmt::format("unknown {} '{}'", key, word)).hint(did_you_mean(word, allowed));
}

using Fill = std::function<void(Filler&, const Shape&)>;

void fill_identity(Filler& filler, const Shape& shape, double gain) {
  if (shape.rank() != 2) {
    throw Error(ExitStatus::kConfig, "the identity initialiser needs a parameter of rank 2, got shape " + shape.str());
  }
  const auto cols = static_cast<uint64_t>(shape[1]);
  filler.fill([&](uint64_t i) { return i / cols == i % cols ? gain : 0.0; });
}

Fill fill_by_class(const Value& option, const std::string& name, const Value& dict) {
  for (const std::string& key : dict.keys()) {
    const auto& args = init_classes().at(name).args;
    if (key != "class" && key != "seed" && key != "dtype" && std::find(args.begin(), args.end(), key) == args.end()) {
      throw option.error(fmt::format("unknown option '{}' of initializer '{}'", key, name))
          .hint(did_you_mean(key, std::vector<std::string>(args.begin(), args.end())));
    }
  }
  if (name == "zeros" || name == "ones") {
    const double value = name == "ones" ? 1 : 0;
    return [value](Filler& f, const Shape&) { f.constant(value); };
  }
  if (name == "constant") {
    return [value = number(dict, "value", 0)](Filler& f, const Shape&) { f.constant(value); };
  }
  if (name == "identity") {
    return [gain = number(dict, "gain", 1)](Filler& f, const Shape& shape) { fill_identity(f, shape, gain); };
  }
  if (name == "orthogonal") {
    return [gain = number(dict, "gain", 1)](Filler& f, const Shape&) { f.orthogonal(gain); };
  }
  if (name == "random_uniform") {
    const double low = number(dict, "minval", 0);
    return [low, high = number(dict, "maxval", 1)](Filler& f, const Shape&) { f.uniform(low, high); };
  }
  const double mean = number(dict, "mean", 0);
  const double stddev = number(dict, "stddev", 1);
  if (name == "random_normal") {
    return [mean, stddev](Filler& f, const Shape&) { f.normal(mean, stddev); };
  }
  if (name == "truncated_normal") {
    return [mean, stddev](Filler& f, const Shape&) { f.truncated_normal(mean, stddev); };
  }
  if (name == "uniform_unit_scaling") {
    return [factor = number(dict, "factor", 1)](Filler& f, const Shape& shape) {
      double size = 1;
      for (int i = 0; i < shape.rank() - 1; ++i) {
        size *= static_cast<double>(shape[i]);
      }
      const double limit = std::sqrt(3.0 / std::max(1.0, size)) * factor;
      f.uniform(-limit, limit);
    };
  }
  VarianceScaling scaling = scaling_by_name(name);
  if (name == "variance_scaling") {
    scaling.scale = number(dict, "scale", 1);
    scaling.mode = text(dict, "mode", "fan_in", {"fan_in", "fan_out", "fan_avg"});
    scaling.distribution =
        text(dict, "distribution", "truncated_normal", {"uniform", "normal", "truncated_normal", "untruncated_normal"});
  }
  return [scaling](Filler& f, const Shape& shape) { variance_scaling(f, shape, scaling); };
}

std::vector<std::pair<std::string, Value>> expression_names() {
  // In RETURNN these short names mean TensorFlow's functions of a shape.
  static const std::set<std::string> functions{"zeros",          "ones",          "constant",        "identity",
                                               "random_uniform", "random_normal", "truncated_normal"};
  std::vector<std::pair<std::string, Value>> names;
  for (const auto& [name, entry] : init_classes()) {
    const auto make = [name = name, args = entry.args](const std::vector<Value>& given, const KeywordArgs& kwargs) {
      std::vector<Value::Entry> entries{{Value::of("class"), Value::of(name)}};
      for (size_t i = 0; i < given.size() && i < args.size(); ++i) {
        entries.emplace_back(Value::of(args[i]), given[i]);
      }
      for (const auto& [key, value] : kwargs) {
        entries.emplace_back(Value::of(key), value);
      }
      return Value::dict(std::move(entries));
    };
    names.emplace_back(name + "_initializer", native_function(name + "_initializer", make));
    names.emplace_back(entry.dict_name, native_function(entry.dict_name, make));
    if (functions.count(name) == 0) {
      names.emplace_back(name, native_function(name, make));
    }
  }
  const std::map<std::string, double (*)(double)> math{{"sqrt", std::sqrt}, {"log", std::log}, {"exp", std::exp},
                                                       {"sin", std::sin},   {"cos", std::cos}, {"tanh", std::tanh}};
  for (const auto& [name, function] : math) {
    names.emplace_back(name,
                       native_function(name, [function = function](const std::vector<Value>& args, const KeywordArgs&) {
                         return Value::of(function(args.at(0).as_float()));
                       }));
  }
  names.emplace_back("pi", Value::of(3.14159265358979323846));
  return names;
}

Fill make_fill(const Value& option) {
  if (option.is_number() || option.kind() == Value::Kind::kBool) {
    const double value = option.is_number() ? option.as_float() : option.as_bool() ? 1.0 : 0.0;
    if (!std::isfinite(value)) {
      throw option.error("parameters must start with finite values, got " + option.repr());
    }
    return [value](Filler& f, const Shape&) { f.constant(value); };
  }
  if (option.is_dict()) {
    const Value* name = option.find("class");
    if (name == nullptr) {
      throw option.error("an initializer dict needs 'class'");
    }
    return fill_by_class(option, canonical(option, name->as_string()), option);
  }
  const std::string word = option.as_string();
  char* end = nullptr;
  const double value = std::strtod(word.c_str(), &end);
  if (!word.empty() && end == word.c_str() + word.size()) {
    return [value](Filler& f, const Shape&) { f.constant(value); };
  }
  if (word.find_first_of("(+*/") != std::string::npos) {
    const bool modules = word.find("math.") != std::string::npos || word.find("numpy.") != std::string::npos;
    // Of numpy those functions of numbers that the module math has too.
    const std::string wrapped = modules ? "(lambda math, numpy: (" + word + "))(*[__import__('math')] * 2)" : word;
    const Value result = evaluate_expression(wrapped, option.span(), expression_names());
    try {
      return make_fill(result.placed(option.span(), option.path()));
    } catch (Error& error) {
      throw error.at(option.span(), option.path());  // what is inside of the expression has no place of its own
    }
  }
  return fill_by_class(option, canonical(option, word), Value::dict({}));
}

}  // namespace

Initializer make_initializer(const Value& option, const std::string& fallback, uint32_t op_seed) {
  const Fill fill = make_fill(option.is_none() ? Value::of(fallback) : option);
  const Value* own = option.is_dict() ? option.find("seed") : nullptr;
  const uint32_t seed = own && !own->is_none() ? static_cast<uint32_t>(own->as_int()) : op_seed;
  return [fill, seed](const Tensor& target, uint64_t graph_seed) {
    Filler filler(target, Philox::of_op(graph_seed, seed));
    fill(filler, target.shape());
  };
}

}  // namespace wende
