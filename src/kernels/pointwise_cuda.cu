#include "base/error.h"
#include "kernels/functor_choice.h"
#include "kernels/pointwise_kernels_cuda.cuh"

namespace wende::cuda {
namespace {

namespace fn = functors;

template <class F>
struct GradientOf {
  template <class T>
  WENDE_HD static T value(T grad, T v) {
    return grad * F::derivative(v);
  }
};
struct IsFinite {
  template <class T>
  WENDE_HD static bool value(T x) {
    return x - x == T(0);
  }
};
struct Not {
  WENDE_HD static bool value(bool x) { return !x; }
};

template <class T>
void unary_float(Unary kind, const Tensor& x, const Tensor& out) {
  fn::with_functor(kind, [&](auto functor) { map<decltype(functor), T, T>(x, out); });
}

template <class T>
void unary_integer(Unary kind, const Tensor& x, const Tensor& out) {
  fn::with_integer_functor(kind, [&](auto functor) {
    if constexpr (std::is_same_v<decltype(functor), fn::Floor>) {
      out.copy_from(x);
    } else {
      map<decltype(functor), T, T>(x, out);
    }
  });
}

template <class T>
void unary_grad_float(Unary kind, const Tensor& grad, const Tensor& v, const Tensor& out) {
  fn::with_functor(kind, [&](auto functor) {
    using F = decltype(functor);
    if constexpr (fn::Differentiable<F>) {
      map2<GradientOf<F>, T, T, T>(grad, v, out);
    } else {
      throw internal_error("this function has no derivative");
    }
  });
}

}  // namespace

void unary(Unary kind, const Tensor& x, const Tensor& out) {
  const DType dtype = x.dtype();
  if (kind == Unary::kLogicalNot) return map<Not, bool, bool>(x, out);
  if (kind == Unary::kIsFinite) {
    if (dtype == DType::kFloat32) return map<IsFinite, bool, float>(x, out);
    if (dtype == DType::kFloat64) return map<IsFinite, bool, double>(x, out);
    return fill(out, 1);
  }
  if (dtype == DType::kFloat32) return unary_float<float>(kind, x, out);
  if (dtype == DType::kFloat64) return unary_float<double>(kind, x, out);
  if (dtype == DType::kInt32) return unary_integer<int32_t>(kind, x, out);
  if (dtype == DType::kInt64) return unary_integer<int64_t>(kind, x, out);
  throw internal_error("this function does not take bool");
}

void unary_grad(Unary kind, const Tensor& grad, const Tensor& v, const Tensor& out) {
  if (v.dtype() == DType::kFloat32) return unary_grad_float<float>(kind, grad, v, out);
  if (v.dtype() == DType::kFloat64) return unary_grad_float<double>(kind, grad, v, out);
  throw internal_error("derivatives are of floats");
}

}  // namespace wende::cuda
