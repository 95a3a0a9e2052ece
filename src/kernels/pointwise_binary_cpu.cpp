#include <fmt/core.h>

#include "kernels/broadcast.h"
#include "kernels/functor_choice.h"
#include "kernels/pointwise.h"
#include "tensor/with_type.h"

namespace wende::cpu {
namespace {

namespace fn = functors;

template <class T, class F>
void comparison(const Tensor& a, const Tensor& b, const Tensor& out) {
  map2<bool, T, T>(a, b, out, [](T x, T y) WENDE_HD { return F::value(x, y); });
}

template <class T>
void binary_typed(Binary kind, const Tensor& a, const Tensor& b, const Tensor& out) {
  fn::with_functor(kind, [&](auto functor) {
    using F = decltype(functor);
    if constexpr (std::is_same_v<F, fn::Div> && !std::is_floating_point_v<T>) {
      throw internal_error(fmt::format("division does not take {}", name_of(a.dtype())));
    } else {
      using Result = decltype(F::value(T{}, T{}));
      map2<Result, T, T>(a, b, out, [](T x, T y) WENDE_HD { return F::value(x, y); });
    }
  });
}

void binary_bool(Binary kind, const Tensor& a, const Tensor& b, const Tensor& out) {
  switch (kind) {
    case Binary::kLogicalAnd:
      return map2<bool, bool, bool>(a, b, out, [](bool x, bool y) WENDE_HD { return x & y; });
    case Binary::kLogicalOr:
      return map2<bool, bool, bool>(a, b, out, [](bool x, bool y) WENDE_HD { return x | y; });
    case Binary::kEqual:
      return comparison<bool, fn::Equal>(a, b, out);
    case Binary::kNotEqual:
      return comparison<bool, fn::NotEqual>(a, b, out);
    default:
      throw internal_error(fmt::format("binary function {} does not take bool", static_cast<int>(kind)));
  }
}

template <class T>
void where_typed(const Tensor& condition, const Tensor& a, const Tensor& b, const Tensor& out) {
  T* y = out.data<T>();
  const bool* c = condition.data<bool>();
  const T* x = a.data<T>();
  const T* z = b.data<T>();
  BroadcastLoops<4>({&out, &condition, &a, &b}).for_each_line([&](int64_t n, const auto& at, const auto& step) {
    T* y0 = y + at[0];
    const bool* c0 = c + at[1];
    const T* x0 = x + at[2];
    const T* z0 = z + at[3];
    if (step[0] == 1 && step[1] == 1 && step[2] == 1 && step[3] <= 1) {
      if (step[3] == 1) {
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) y0[i] = c0[i] ? x0[i] : z0[i];
      } else {
        const T other = *z0;
#pragma GCC ivdep
        for (int64_t i = 0; i < n; ++i) y0[i] = c0[i] ? x0[i] : other;
      }
    } else if (step[0] == 1 && step[1] == 0 && step[2] <= 1 && step[3] <= 1) {
      const T* chosen = *c0 ? x0 : z0;
      const int64_t stride = *c0 ? step[2] : step[3];
      for (int64_t i = 0; i < n; ++i) y0[i] = chosen[i * stride];
    } else {
      for (int64_t i = 0; i < n; ++i) y0[i * step[0]] = c0[i * step[1]] ? x0[i * step[2]] : z0[i * step[3]];
    }
  });
}

template <class In, class Out>
void cast_typed(const Tensor& x, const Tensor& out) {
  map<Out, In>(x, out, [](In v) {
    if constexpr (std::is_same_v<Out, bool>) {
      return v != In(0);
    } else {
      return static_cast<Out>(v);
    }
  });
}

}  // namespace

void binary(Binary kind, const Tensor& a, const Tensor& b, const Tensor& out) {
  with_type(a.dtype(), [&](auto zero) {
    using T = decltype(zero);
    if constexpr (std::is_same_v<T, bool>) {
      binary_bool(kind, a, b, out);
    } else {
      binary_typed<T>(kind, a, b, out);
    }
  });
}

void where(const Tensor& condition, const Tensor& a, const Tensor& b, const Tensor& out) {
  with_type(out.dtype(), [&](auto value) { where_typed<decltype(value)>(condition, a, b, out); });
}

void cast(const Tensor& x, const Tensor& out) {
  with_type(x.dtype(), [&](auto from) {
    with_type(out.dtype(), [&](auto to) { cast_typed<decltype(from), decltype(to)>(x, out); });
  });
}

void fill(const Tensor& out, double value) {
  with_type(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const Tensor source = Tensor::of<T>({static_cast<T>(value)}, {});
    map<T, T>(source, out, [](T v) WENDE_HD { return v; });
  });
}

void range(const Tensor& out) {
  int32_t* values = out.data<int32_t>();
  const auto n = static_cast<int32_t>(out.elements());
  for (int32_t i = 0; i < n; ++i) values[i] = i;
}

}  // namespace wende::cpu
