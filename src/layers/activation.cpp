#include "layers/activation.h"

#include <algorithm>
#include <cstdlib>
#include <optional>
#include <utility>

#include "config/config.h"
#include "layers/eval_trace.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/softmax.h"

namespace wende {
namespace {

std::string without_prefix(const std::string& name) {
  for (const char* prefix : {"tf.nn.", "tf.math.", "tf.", "nn.", "math."}) {
    if (name.rfind(prefix, 0) == 0) {
      return name.substr(std::string(prefix).size());
    }
  }
  return name;
}

bool same_sizes(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Dim& x, const Dim& y) { return x.same_size(y); });
}

Expr by_name(const Value& option, const std::string& full_name, Expr x, int feature_axis) {
  const std::string name = without_prefix(full_name);
  if (name.empty() || name == "none" || name == "None" || name == "identity" || name == "linear") {
    return x;
  }
  if (name == "softmax") {
    return ops::softmax(x, feature_axis);
  }
  if (name == "log_softmax") {
    return ops::log_softmax(x, feature_axis);
  }
  const Expr result = traced_unary(name, x);
  if (result.defined()) {
    return result;
  }
  if (is_traced_function(name)) {
    const Expr other = traced_expr(*x.graph, apply_traced(*x.graph, name, {traced(x)}, {}));
    if (other.rank() == x.rank() && same_sizes(other.dims(), x.dims())) {
      return other;
    }
    throw option.error("'" + full_name + "' changes the shape, from " + x.type().str() + " to " + other.type().str())
        .hint("an activation keeps it; use an 'eval' layer with out_type");
  }
  Error error = option.error("unknown activation '" + full_name + "'");
  std::string hint = did_you_mean(name, activation_names());
  if (hint.empty()) {
    hint = "known:";
    for (const std::string& known : activation_names()) {
      hint += " " + known;
    }
  }
  throw error.hint(hint);
}

/// The whole text as a number.
std::optional<double> number_in(const std::string& text) {
  char* end = nullptr;
  const double value = std::strtod(text.c_str(), &end);
  const bool digits = text.find_first_of("0123456789") != std::string::npos;
  return digits && end == text.c_str() + text.size() ? std::optional(value) : std::nullopt;
}

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  return begin == std::string::npos ? std::string() : text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
}

/// Arithmetic of numbers and activation names: "10.0*sigmoid", "relu - 0.5". As RETURNN reads it: the first sign of
/// +, -, *, / that occurs parts the text in two, whatever else stands there, and an empty part is the argument itself
/// ("-tanh" is x - tanh(x)).
Expr operator_form(const Value& option, const std::string& text, Expr x, int feature_axis) {
  if (const std::optional<double> number = number_in(text)) {
    return ops::constant(*x.graph, *number, x.dtype());
  }
  for (const auto& [sign, function] : {std::pair('+', "add"), {'-', "sub"}, {'*', "mul"}, {'/', "truediv"}}) {
    const size_t at = text.find(sign);
    if (at == std::string::npos) {
      continue;
    }
    if (text.find(sign, at + 1) != std::string::npos) {
      throw option.error("activation " + option.repr() + " has '" + sign + "' twice")
          .hint("write it as an expression of x, e.g. \"tf.nn.relu(x) - x - 1\"");
    }
    const Expr left = operator_form(option, trimmed(text.substr(0, at)), x, feature_axis);
    return traced_binary(function, left, operator_form(option, trimmed(text.substr(at + 1)), x, feature_axis));
  }
  return by_name(option, text, x, feature_axis);
}

}  // namespace

std::vector<std::string> activation_names() {
  std::vector<std::string> names{"identity", "softmax", "log_softmax"};
  const auto& more = traced_unary_names();
  names.insert(names.end(), more.begin(), more.end());
  return names;
}

Expr apply_activation(const Value& option, Expr x, int feature_axis) {
  if (option.is_none()) {
    return x;
  }
  if (option.is_callable()) {
    const GraphTrace trace(*x.graph);
    return traced_expr(*x.graph, option.as_callable().call({traced(x)}, {}), x);
  }
  const std::string& text = option.as_string();
  if (text.find('(') != std::string::npos) {
    const GraphTrace trace(*x.graph);
    return traced_expr(*x.graph, evaluate_expression(text, option.span(), {{"x", traced(x)}}), x);
  }
  if (text.find_first_of("+-*/") != std::string::npos) {
    return operator_form(option, text, x, feature_axis);
  }
  return by_name(option, text, x, feature_axis);
}

void add_logits(LayerBuilder& builder, const Value& activation, Expr x) {
  if (activation.is_none()) {
    return;
  }
  builder.add_sub_output("before_activation", {builder.out_data(), x});
  if (!activation.is_string()) {
    return;
  }
  const std::string name = without_prefix(activation.as_string());
  for (const char* kind : {"softmax", "log_softmax", "sigmoid", "exp"}) {
    if (name == kind) {
      builder.add_sub_output("logits", {builder.out_data(), x});
      builder.add_sub_output("logits:" + name, {builder.out_data(), x});
    }
  }
}

void pass_on_logits(LayerBuilder& builder) {
  const Value* dropout = builder.context().options.find("dropout");
  if (builder.source_count() != 1 || (dropout && !dropout->is_none() && dropout->as_float() != 0.0)) {
    return;
  }
  for (const char* key : {"before_activation", "logits", "logits:softmax", "logits:log_softmax", "logits:sigmoid",
                          "logits:exp", "output_loss"}) {
    const LayerOutput output = builder.source_sub_output(0, key);
    if (output.expr.defined()) {
      builder.add_sub_output(key, output);
    }
  }
  if (builder.source_sub_output(0, "before_activation").expr.defined()) {
    const LayerOutput activated = builder.source_sub_output(0, "activated");
    builder.add_sub_output("activated", activated.expr.defined() ? activated : builder.source(0));
  }
}

}  // namespace wende
