#include "layers/activation.h"

#include <cctype>
#include <cstdlib>

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

/// Arithmetic of numbers and activation names: "10.0*sigmoid", "relu - 0.5", "-tanh".
class OperatorForm {
 public:
  OperatorForm(const Value& option, Expr x, int feature_axis)
      : option_(option), text_(option.as_string()), x_(x), feature_axis_(feature_axis) {}

  Expr parse() {
    const Expr result = sum();
    skip();
    if (at_ < text_.size()) {
      throw option_.error("cannot read activation " + option_.repr() + " at character " + std::to_string(at_ + 1));
    }
    return result;
  }

 private:
  void skip() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) {
      ++at_;
    }
  }
  bool take(char c) {
    skip();
    if (at_ < text_.size() && text_[at_] == c) {
      ++at_;
      return true;
    }
    return false;
  }
  Expr sum() {
    Expr left = product();
    for (;;) {
      if (take('+')) {
        left = traced_binary("add", left, product());
      } else if (take('-')) {
        left = traced_binary("sub", left, product());
      } else {
        return left;
      }
    }
  }
  Expr product() {
    Expr left = factor();
    for (;;) {
      if (take('*')) {
        left = traced_binary("mul", left, factor());
      } else if (take('/')) {
        left = traced_binary("truediv", left, factor());
      } else {
        return left;
      }
    }
  }
  Expr factor() {
    if (take('-')) {
      return ops::unary(ops::Unary::kNeg, factor());
    }
    skip();
    const char* begin = text_.c_str() + at_;
    char* end = nullptr;
    const double number = std::strtod(begin, &end);
    if (end != begin && !std::isalpha(static_cast<unsigned char>(*begin))) {
      at_ += static_cast<size_t>(end - begin);
      return ops::constant(*x_.graph, number, x_.dtype());
    }
    const size_t start = at_;
    while (at_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[at_])) || text_[at_] == '_' || text_[at_] == '.')) {
      ++at_;
    }
    return by_name(option_, text_.substr(start, at_ - start), x_, feature_axis_);
  }

  const Value& option_;
  const std::string text_;
  Expr x_;
  int feature_axis_;
  size_t at_ = 0;
};

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
    return OperatorForm(option, x, feature_axis).parse();
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
  for (const char* key : {"before_activation", "logits", "logits:softmax", "logits:log_softmax", "logits:sigmoid",
                          "logits:exp", "output_loss"}) {
    const LayerOutput output = builder.source_sub_output(0, key);
    if (output.expr.defined()) {
      builder.add_sub_output(key, output);
    }
  }
}

}  // namespace wende
