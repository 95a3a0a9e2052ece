#include <fmt/core.h>

#include <algorithm>

#include "kernels/broadcast.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_functors.h"

namespace wende::cpu {
namespace {

namespace fn = functors;

/// Calls visit with the functor of this activation function.
template <class Visit>
auto with_activation(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kTanh:
      return visit(fn::Tanh{});
    case Unary::kSigmoid:
      return visit(fn::Sigmoid{});
    case Unary::kRelu:
      return visit(fn::Relu{});
    case Unary::kRelu6:
      return visit(fn::Relu6{});
    case Unary::kLeakyRelu:
      return visit(fn::LeakyRelu{});
    case Unary::kElu:
      return visit(fn::Elu{});
    case Unary::kSelu:
      return visit(fn::Selu{});
    case Unary::kSoftplus:
      return visit(fn::Softplus{});
    case Unary::kSoftsign:
      return visit(fn::Softsign{});
    case Unary::kGelu:
      return visit(fn::Gelu{});
    case Unary::kSwish:
      return visit(fn::Swish{});
    case Unary::kLogSigmoid:
      return visit(fn::LogSigmoid{});
    default:
      throw internal_error(fmt::format("unary function {} has no formula", static_cast<int>(kind)));
  }
}

/// Calls visit with the functor of this kind.
template <class Visit>
auto with_functor(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kNeg:
      return visit(fn::Neg{});
    case Unary::kAbs:
      return visit(fn::Abs{});
    case Unary::kSign:
      return visit(fn::Sign{});
    case Unary::kSquare:
      return visit(fn::Square{});
    case Unary::kSqrt:
      return visit(fn::Sqrt{});
    case Unary::kRsqrt:
      return visit(fn::Rsqrt{});
    case Unary::kReciprocal:
      return visit(fn::Reciprocal{});
    case Unary::kExp:
      return visit(fn::Exp{});
    case Unary::kLog:
      return visit(fn::Log{});
    case Unary::kLog1p:
      return visit(fn::Log1p{});
    case Unary::kExpm1:
      return visit(fn::Expm1{});
    case Unary::kSin:
      return visit(fn::Sin{});
    case Unary::kCos:
      return visit(fn::Cos{});
    case Unary::kSafeLog:
      return visit(fn::SafeLog{});
    case Unary::kErf:
      return visit(fn::Erf{});
    case Unary::kFloor:
      return visit(fn::Floor{});
    case Unary::kCeil:
      return visit(fn::Ceil{});
    case Unary::kRound:
      return visit(fn::Round{});
    default:
      return with_activation(kind, visit);
  }
}

template <class F>
concept Differentiable = requires(float v) {
  F::derivative(v);
};

[[noreturn]] void unsupported(const char* what, DType dtype) {
  throw internal_error(fmt::format("{} does not take {}", what, name_of(dtype)));
}

template <class T>
void unary_integer(Unary kind, const Tensor& x, const Tensor& out) {
  switch (kind) {
    case Unary::kNeg:
      return map<T, T>(x, out, [](T v) WENDE_HD { return fn::Neg::value(v); });
    case Unary::kAbs:
      return map<T, T>(x, out, [](T v) WENDE_HD { return fn::Abs::value(v); });
    case Unary::kSign:
      return map<T, T>(x, out, [](T v) WENDE_HD { return fn::Sign::value(v); });
    case Unary::kSquare:
      return map<T, T>(x, out, [](T v) WENDE_HD { return fn::Square::value(v); });
    case Unary::kRelu:
      return map<T, T>(x, out, [](T v) WENDE_HD { return fn::Relu::value(v); });
    case Unary::kFloor:
    case Unary::kCeil:
    case Unary::kRound:
      return out.copy_from(x);
    default:
      unsupported("this function", x.dtype());
  }
}

template <class T>
void unary_float(Unary kind, const Tensor& x, const Tensor& out) {
  with_functor(kind,
               [&](auto functor) { map<T, T>(x, out, [](T v) WENDE_HD { return decltype(functor)::value(v); }); });
}

template <class T>
void unary_grad_float(Unary kind, const Tensor& grad, const Tensor& v, const Tensor& out) {
  with_functor(kind, [&](auto functor) {
    using F = decltype(functor);
    if constexpr (Differentiable<F>) {
      map2<T, T, T>(grad, v, out, [](T g, T value) WENDE_HD { return g * F::derivative(value); });
    } else {
      throw internal_error("this function has no derivative");
    }
  });
}

template <class T>
void is_finite(const Tensor& x, const Tensor& out) {
  map<bool, T>(x, out, [](T v) WENDE_HD { return v - v == T(0); });
}

}  // namespace

bool derivative_from_output(Unary kind) {
  if (!has_derivative(kind)) return false;
  return with_functor(kind, [](auto functor) {
    using F = decltype(functor);
    if constexpr (Differentiable<F>) {
      return F::kFromOutput;
    } else {
      return false;
    }
  });
}

bool has_derivative(Unary kind) {
  if (kind == Unary::kLogicalNot || kind == Unary::kIsFinite) return false;
  return with_functor(kind, [](auto functor) { return Differentiable<decltype(functor)>; });
}

void unary(Unary kind, const Tensor& x, const Tensor& out) {
  const bool is_float = x.dtype() == DType::kFloat32;
  if (kind == Unary::kIsFinite) {
    if (is_float) return is_finite<float>(x, out);
    if (x.dtype() == DType::kFloat64) return is_finite<double>(x, out);
    return fill(out, 1);
  }
  if (kind == Unary::kLogicalNot) return map<bool, bool>(x, out, [](bool v) WENDE_HD { return !v; });
  switch (x.dtype()) {
    case DType::kFloat32:
      return unary_float<float>(kind, x, out);
    case DType::kFloat64:
      return unary_float<double>(kind, x, out);
    case DType::kInt32:
      return unary_integer<int32_t>(kind, x, out);
    case DType::kInt64:
      return unary_integer<int64_t>(kind, x, out);
    default:
      unsupported("this function", x.dtype());
  }
}

void unary_grad(Unary kind, const Tensor& grad, const Tensor& v, const Tensor& out) {
  switch (v.dtype()) {
    case DType::kFloat32:
      return unary_grad_float<float>(kind, grad, v, out);
    case DType::kFloat64:
      return unary_grad_float<double>(kind, grad, v, out);
    default:
      unsupported("a derivative", v.dtype());
  }
}

}  // namespace wende::cpu
