#include "ops/pointwise.h"

#include <array>

#include "graph/device_op.h"
#include "ops/broadcast_types.h"
#include "ops/complex.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

constexpr std::array<std::string_view, 42> kUnaryNames = {
    "neg",   "abs",    "sign",     "square",   "sqrt",        "rsqrt",    "reciprocal",  "exp",        "log",
    "log1p", "expm1",  "sin",      "cos",      "tanh",        "sigmoid",  "relu",        "relu6",      "leaky_relu",
    "elu",   "selu",   "softplus", "softsign", "gelu",        "swish",    "log_sigmoid", "safe_log",   "erf",
    "erfc",  "erfinv", "asin",     "acos",     "atan",        "lgamma",   "digamma",     "bessel_i0e", "bessel_i1e",
    "floor", "ceil",   "round",    "trunc",    "logical_not", "is_finite"};
constexpr std::array<std::string_view, 20> kBinaryNames = {
    "add",        "sub",     "mul",           "div",         "floordiv",
    "mod",        "pow",     "maximum",       "minimum",     "squared_difference",
    "atan2",      "zeta",    "equal",         "not_equal",   "less",
    "less_equal", "greater", "greater_equal", "logical_and", "logical_or"};

bool is_float(DType dtype) { return dtype == DType::kFloat32 || dtype == DType::kFloat64; }
bool is_logic(Binary kind) { return kind == Binary::kLogicalAnd || kind == Binary::kLogicalOr; }
bool gives_bool(Binary kind) { return kind >= Binary::kEqual; }

class UnaryOp final : public DeviceOp {
 public:
  explicit UnaryOp(Unary kind) : kind_(kind) {}

  std::string_view name() const override { return kUnaryNames[static_cast<size_t>(kind_)]; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise}; }
  OpTraits traits() const override { return {.pointwise = true}; }
  std::optional<PointwiseFunction> pointwise_function() const override { return PointwiseFunction::of(kind_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType type = inputs[0];
    if (kind_ == Unary::kIsFinite) {
      type.dtype = DType::kBool;
    } else if (kind_ == Unary::kLogicalNot) {
      if (type.dtype != DType::kBool) op_error(name(), "takes bool", inputs);
    } else if (type.dtype == DType::kBool || (!is_float(type.dtype) && !takes_integers())) {
      op_error(name(), "does not take this dtype", inputs);
    }
    return {type};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), unary(kind_, context.input(0), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override;

 private:
  bool takes_integers() const {
    switch (kind_) {
      case Unary::kNeg:
      case Unary::kAbs:
      case Unary::kSign:
      case Unary::kSquare:
      case Unary::kRelu:
      case Unary::kFloor:
      case Unary::kCeil:
      case Unary::kRound:
      case Unary::kTrunc:
        return true;
      default:
        return false;
    }
  }
  Unary kind_;
};

/// grad * f'(v) in one pass; v is the argument or the value of f.
class UnaryGradOp final : public DeviceOp {
 public:
  explicit UnaryGradOp(Unary kind) : kind_(kind) {}

  std::string_view name() const override { return "unary_grad"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise, .zero_any = {0}}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("of", std::string(kUnaryNames[static_cast<size_t>(kind_)]));
  }
  OpTraits traits() const override { return {.pointwise = true}; }
  std::optional<PointwiseFunction> pointwise_function() const override { return PointwiseFunction::gradient_of(kind_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != inputs[1].dtype) op_error(name(), "dtypes differ", inputs);
    return {{inputs[0].dtype, broadcast_dims(name(), inputs)}};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), unary_grad(kind_, context.input(0), context.input(1), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override;

 private:
  Unary kind_;
};

/// The derivative of f' as a function of v, which is f's argument or value; undefined: 0 nearly everywhere.
std::optional<Expr> second_derivative(Unary kind, Expr v) {
  const auto number = [&](double x) { return constant(*v.graph, x, v.dtype()); };
  const bool of_value = cpu::derivative_from_output(kind);
  switch (kind) {
    case Unary::kRelu:
    case Unary::kRelu6:
    case Unary::kLeakyRelu:
    case Unary::kAbs:
      return Expr{};
    case Unary::kTanh:  // 1 - v^2
      return of_value ? std::optional(scale(v, -2.0)) : std::nullopt;
    case Unary::kSigmoid:  // v (1 - v)
      return of_value ? std::optional(add(number(1.0), scale(v, -2.0))) : std::nullopt;
    case Unary::kExp:
      return of_value ? std::optional(number(1.0)) : std::nullopt;
    case Unary::kSquare:
      return of_value ? std::nullopt : std::optional(number(2.0));
    case Unary::kLog:  // 1 / v
      return of_value ? std::nullopt
                      : std::optional(unary(Unary::kNeg, unary(Unary::kSquare, unary(Unary::kReciprocal, v))));
    default:
      return std::nullopt;
  }
}

std::vector<Expr> UnaryGradOp::vjp(const VjpContext& context) const {
  const Expr v = context.input(1);
  const std::optional<Expr> second = second_derivative(kind_, v);
  if (!second) return Op::vjp(context);
  const Expr to_grad = context.graph.add(std::make_shared<const UnaryGradOp>(kind_), {context.grad(), v});
  if (!second->defined()) return {to_grad, Expr{}};
  return {to_grad, mul(mul(context.grad(), context.input(0)), *second)};
}

std::vector<Expr> UnaryOp::vjp(const VjpContext& context) const {
  if (!cpu::has_derivative(kind_)) return {Expr{}};
  if (kind_ == Unary::kNeg) return {unary(Unary::kNeg, context.grad())};
  const Expr v = cpu::derivative_from_output(kind_) ? context.output(0) : context.input(0);
  return {context.graph.add(std::make_shared<const UnaryGradOp>(kind_), {context.grad(), v})};
}

class BinaryOp final : public DeviceOp {
 public:
  explicit BinaryOp(Binary kind) : kind_(kind) {}

  std::string_view name() const override { return kBinaryNames[static_cast<size_t>(kind_)]; }
  PaddingRule padding() const override {
    PaddingRule rule{.kind = PaddingRule::Kind::kFrameWise};
    if (kind_ == Binary::kMul || kind_ == Binary::kLogicalAnd) rule.zero_any = {0, 1};
    if (kind_ == Binary::kAdd || kind_ == Binary::kSub) rule.zero_all = {0, 1};
    return rule;
  }
  OpTraits traits() const override { return {.pointwise = true}; }
  std::optional<PointwiseFunction> pointwise_function() const override { return PointwiseFunction::of(kind_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const DType dtype = inputs[0].dtype;
    if (dtype != inputs[1].dtype) op_error(name(), "operands have different dtypes", inputs);
    const bool comparable = kind_ == Binary::kEqual || kind_ == Binary::kNotEqual;
    if ((dtype == DType::kBool) != is_logic(kind_) && !comparable) op_error(name(), "does not take this dtype", inputs);
    const bool floats_only = kind_ == Binary::kDiv || kind_ == Binary::kAtan2 || kind_ == Binary::kZeta;
    if (floats_only && !is_float(dtype)) op_error(name(), "takes floats only; cast first", inputs);
    return {{gives_bool(kind_) ? DType::kBool : dtype, broadcast_dims(name(), inputs)}};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), binary(kind_, context.input(0), context.input(1), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override;

 private:
  Expr left_grad(const VjpContext& context) const;
  Expr right_grad(const VjpContext& context) const;
  Binary kind_;
};

/// The gradient where `mine` was chosen; ties go to the left operand, as in TensorFlow.
Expr chosen(Binary test, Expr grad, Expr mine, Expr other) {
  return where(binary(test, mine, other), grad, constant(*grad.graph, 0.0, grad.dtype()));
}

Expr BinaryOp::left_grad(const VjpContext& context) const {
  const Expr grad = context.grad();
  const Expr a = context.input(0);
  const Expr b = context.input(1);
  switch (kind_) {
    case Binary::kAdd:
    case Binary::kSub:
    case Binary::kMod:
      return grad;
    case Binary::kMul:
      return mul(grad, b);
    case Binary::kDiv:
      return div(grad, b);
    case Binary::kPow:
      return mul(grad, mul(b, binary(Binary::kPow, a, add_scalar(b, -1.0))));
    case Binary::kMaximum:
      return chosen(Binary::kGreaterEqual, grad, a, b);
    case Binary::kMinimum:
      return chosen(Binary::kLessEqual, grad, a, b);
    case Binary::kSquaredDifference:
      return mul(grad, scale(sub(a, b), 2.0));
    case Binary::kAtan2:
      return mul(grad, div(b, add(mul(a, a), mul(b, b))));
    default:
      return {};
  }
}

Expr BinaryOp::right_grad(const VjpContext& context) const {
  const Expr grad = context.grad();
  const Expr a = context.input(0);
  const Expr b = context.input(1);
  switch (kind_) {
    case Binary::kAdd:
      return grad;
    case Binary::kSub:
      return unary(Unary::kNeg, grad);
    case Binary::kMul:
      return mul(grad, a);
    case Binary::kDiv:
      return unary(Unary::kNeg, div(mul(grad, context.output(0)), b));
    case Binary::kMod:
      return unary(Unary::kNeg, mul(grad, binary(Binary::kFloorDiv, a, b)));
    case Binary::kPow: {
      // log of what is not positive counts as 0, as in TensorFlow.
      const Expr positive = binary(Binary::kGreater, a, zeros_like(a));
      const Expr safe = where(positive, a, constant(context.graph, 1.0, a.dtype()));
      return mul(mul(grad, context.output(0)), unary(Unary::kLog, safe));
    }
    case Binary::kMaximum:
      return chosen(Binary::kGreater, grad, b, a);
    case Binary::kMinimum:
      return chosen(Binary::kLess, grad, b, a);
    case Binary::kSquaredDifference:
      return mul(grad, scale(sub(b, a), 2.0));
    case Binary::kAtan2:
      return unary(Unary::kNeg, mul(grad, div(a, add(mul(a, a), mul(b, b)))));
    case Binary::kZeta:  // TensorFlow has none by the exponent either
      return unary(Unary::kNeg, mul(grad, mul(a, binary(Binary::kZeta, add_scalar(a, 1.0), b))));
    default:
      return {};
  }
}

std::vector<Expr> BinaryOp::vjp(const VjpContext& context) const {
  std::vector<Expr> grads(2);
  if (gives_bool(kind_) || kind_ == Binary::kFloorDiv || !is_float(context.input(0).dtype())) return grads;
  for (size_t i = 0; i < 2; ++i) {
    if (!context.needed[i]) continue;
    const Expr grad = i == 0 ? left_grad(context) : right_grad(context);
    if (grad.defined()) grads[i] = sum_to(grad, context.input(static_cast<int>(i)).dims());
  }
  return grads;
}

class WhereOp final : public DeviceOp {
 public:
  std::string_view name() const override { return "where"; }
  PaddingRule padding() const override {
    return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0, 2}, .mask = 0, .masked = {1}};
  }
  OpTraits traits() const override { return {.pointwise = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kBool) op_error(name(), "the condition must be bool", inputs);
    if (inputs[1].dtype != inputs[2].dtype) op_error(name(), "the branches have different dtypes", inputs);
    return {{inputs[1].dtype, broadcast_dims(name(), inputs)}};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), where(context.input(0), context.input(1), context.input(2), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr condition = context.input(0);
    const Expr grad = context.grad();
    const Expr zero = constant(context.graph, 0.0, grad.dtype());
    std::vector<Expr> grads(3);
    if (context.needed[1]) grads[1] = sum_to(where(condition, grad, zero), context.input(1).dims());
    if (context.needed[2]) grads[2] = sum_to(where(condition, zero, grad), context.input(2).dims());
    return grads;
  }
};

class CastOp final : public DeviceOp {
 public:
  explicit CastOp(DType dtype) : dtype_(dtype) {}

  std::string_view name() const override { return "cast"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0}}; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dtype", std::string(name_of(dtype_))); }
  OpTraits traits() const override { return {.pointwise = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {{dtype_, inputs[0].dims}}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), cast(context.input(0), context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const DType from = context.input(0).dtype();
    if (!is_float(from) || !is_float(dtype_)) return {Expr{}};
    return {cast(context.grad(), from)};
  }

 private:
  DType dtype_;
};

class StopGradientOp final : public DeviceOp {
 public:
  std::string_view name() const override { return "stop_gradient"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0}}; }
  OpTraits traits() const override { return {.pointwise = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0)); }
  int aliases_input() const override { return 0; }
  std::vector<Expr> vjp(const VjpContext&) const override { return {Expr{}}; }
};

}  // namespace

Expr unary(Unary kind, Expr x) {
  if (is_complex(x)) return complex_unary(kind, x);
  return x.graph->add(std::make_shared<const UnaryOp>(kind), {x});
}

Expr binary(Binary kind, Expr a, Expr b) {
  if (is_complex(a) || is_complex(b)) return complex_binary(kind, a, b);
  return a.graph->add(std::make_shared<const BinaryOp>(kind), {a, b});
}

Expr where(Expr condition, Expr a, Expr b) {
  if (is_complex(a) || is_complex(b)) {
    return complex(where(condition, real(a), real(b)), where(condition, imaginary(a), imaginary(b)));
  }
  return condition.graph->add(std::make_shared<const WhereOp>(), {condition, a, b});
}

Expr cast(Expr x, DType dtype) {
  if (x.dtype() == dtype) return x;
  if (is_complex(x) || dtype == DType::kComplex64) return complex_cast(x, dtype);
  return x.graph->add(std::make_shared<const CastOp>(dtype), {x});
}

Expr stop_gradient(Expr x) {
  if (is_complex(x)) return by_parts(x, [](Expr part) { return stop_gradient(part); });
  return x.graph->add(std::make_shared<const StopGradientOp>(), {x});
}

Expr add(Expr a, Expr b) { return binary(Binary::kAdd, a, b); }
Expr sub(Expr a, Expr b) { return binary(Binary::kSub, a, b); }
Expr mul(Expr a, Expr b) { return binary(Binary::kMul, a, b); }
Expr div(Expr a, Expr b) { return binary(Binary::kDiv, a, b); }
Expr scale(Expr x, double factor) { return factor == 1.0 ? x : mul(x, constant(*x.graph, factor, x.dtype())); }
Expr add_scalar(Expr x, double value) { return add(x, constant(*x.graph, value, x.dtype())); }
Expr zeros_like(Expr x) { return constant(*x.graph, 0.0, x.dtype(), x.dims()); }

}  // namespace wende::ops
