#include "base/error.h"
#include "kernels/functor_choice.h"
#include "kernels/pointwise_kernels_cuda.cuh"
#include "tensor/with_type.h"

namespace wende::cuda {
namespace {

namespace fn = functors;

struct And {
  WENDE_HD static bool value(bool a, bool b) { return a & b; }
};
struct Or {
  WENDE_HD static bool value(bool a, bool b) { return a | b; }
};
template <class Out>
struct Cast {
  template <class In>
  WENDE_HD static Out value(In x) {
    if constexpr (std::is_same_v<Out, bool>) {
      return x != In(0);
    } else {
      return static_cast<Out>(x);
    }
  }
};

template <class T>
void binary_typed(Binary kind, const Tensor& a, const Tensor& b, const Tensor& out) {
  fn::with_functor(kind, [&](auto functor) {
    using F = decltype(functor);
    if constexpr (std::is_same_v<F, fn::Div> && !std::is_floating_point_v<T>) {
      throw internal_error("division takes floats only");
    } else {
      map2<F, decltype(F::value(T{}, T{})), T, T>(a, b, out);
    }
  });
}

void binary_bool(Binary kind, const Tensor& a, const Tensor& b, const Tensor& out) {
  switch (kind) {
    case Binary::kLogicalAnd:
      return map2<And, bool, bool, bool>(a, b, out);
    case Binary::kLogicalOr:
      return map2<Or, bool, bool, bool>(a, b, out);
    case Binary::kEqual:
      return map2<fn::Equal, bool, bool, bool>(a, b, out);
    case Binary::kNotEqual:
      return map2<fn::NotEqual, bool, bool, bool>(a, b, out);
    default:
      throw internal_error("this function does not take bool");
  }
}

struct Where {
  template <class T>
  WENDE_HD static T value(bool condition, T a, T b) {
    return condition ? a : b;
  }
};

template <class T>
__global__ void __launch_bounds__(kThreads) fill_kernel(StridedLoops<1> loops, T* out, T value) {
  for (const int64_t i : grid_range(loops.elements)) {
    out[loops.offsets(i).at[0]] = value;
  }
}

__global__ void __launch_bounds__(kThreads) range_kernel(int32_t* out, int64_t n) {
  for (const int64_t i : grid_range(n)) out[i] = static_cast<int32_t>(i);
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
  with_type(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    pointwise<Where, T, bool, T, T>(out, condition, a, b);
  });
}

void cast(const Tensor& x, const Tensor& out) {
  with_type(x.dtype(), [&](auto from) {
    with_type(out.dtype(), [&](auto to) { map<Cast<decltype(to)>, decltype(to), decltype(from)>(x, out); });
  });
}

void fill(const Tensor& out, double value) {
  const auto loops = StridedLoops<1>::make(out.shape(), {&out.strides()});
  with_type(out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    launch(fill_kernel<T>, blocks_for(loops.elements), kThreads, 0, loops, device_data<T>(out), static_cast<T>(value));
  });
}

void range(const Tensor& out) {
  const int64_t n = out.elements();
  launch(range_kernel, blocks_for(n), kThreads, 0, device_data<int32_t>(out), n);
}

}  // namespace wende::cuda
