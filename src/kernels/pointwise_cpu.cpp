#include <fmt/core.h>

#include <type_traits>

#include "kernels/broadcast.h"
#include "kernels/functor_choice.h"
#include "kernels/pointwise.h"

namespace wende::cpu {
namespace {

namespace fn = functors;

[[noreturn]] void unsupported(const char* what, DType dtype) {
  throw internal_error(fmt::format("{} does not take {}", what, name_of(dtype)));
}

template <class T>
void unary_integer(Unary kind, const Tensor& x, const Tensor& out) {
  fn::with_integer_functor(kind, [&](auto functor) {
    using F = decltype(functor);
    if constexpr (std::is_same_v<F, fn::Floor>) {
      out.copy_from(x);
    } else {
      map<T, T>(x, out, [](T v) WENDE_HD { return F::value(v); });
    }
  });
}

template <class T>
void unary_float(Unary kind, const Tensor& x, const Tensor& out) {
  fn::with_functor(kind,
                   [&](auto functor) { map<T, T>(x, out, [](T v) WENDE_HD { return decltype(functor)::value(v); }); });
}

template <class T>
void unary_grad_float(Unary kind, const Tensor& grad, const Tensor& v, const Tensor& out) {
  fn::with_functor(kind, [&](auto functor) {
    using F = decltype(functor);
    if constexpr (fn::Differentiable<F>) {
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
  return fn::with_functor(kind, [](auto functor) {
    using F = decltype(functor);
    if constexpr (fn::Differentiable<F>) {
      return F::kFromOutput;
    } else {
      return false;
    }
  });
}

bool has_derivative(Unary kind) {
  if (kind == Unary::kLogicalNot || kind == Unary::kIsFinite) return false;
  return fn::with_functor(kind, [](auto functor) { return fn::Differentiable<decltype(functor)>; });
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
