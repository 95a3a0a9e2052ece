#pragma once

#include <array>
#include <cstdint>

#include "base/error.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Nested loops over a result and N operands of equal or broadcasting shape. Neighbouring axes that all tensors step
/// through evenly are merged, so that most calls end as one or two loops. Strides are in elements.
template <int kTensors>
struct BroadcastLoops {
  struct Axis {
    int64_t size;
    std::array<int64_t, kTensors> strides;  ///< 0: the result, 1...: operands
  };
  std::array<Axis, kMaxRank> axes;
  int rank = 0;
  int64_t elements = 0;

  explicit BroadcastLoops(const std::array<const Tensor*, kTensors>& tensors) {
    const Shape& shape = tensors[0]->shape();
    elements = shape.elements();
    for (int i = 0; i < shape.rank(); ++i) {
      Axis axis{shape[i], {}};
      for (size_t t = 0; t < kTensors; ++t) axis.strides[t] = stride_of(*tensors[t], shape, i);
      if (shape[i] != 1) append(axis);
    }
    if (rank == 0) append({1, {}});
  }

  /// Calls line(size, offsets, strides) for each innermost line.
  template <class Line>
  void for_each_line(Line&& line) const {
    if (elements > 0) descend(0, {}, line);
  }

 private:
  static int64_t stride_of(const Tensor& tensor, const Shape& shape, int axis) {
    if (tensor.rank() == 0) return 0;
    if (tensor.rank() != shape.rank() || (tensor.shape()[axis] != shape[axis] && tensor.shape()[axis] != 1)) {
      throw internal_error("shape " + tensor.shape().str() + " does not broadcast to " + shape.str());
    }
    return tensor.shape()[axis] == 1 ? 0 : tensor.strides()[axis];
  }

  void append(const Axis& axis) {
    if (rank > 0) {
      Axis& outer = axes[static_cast<size_t>(rank - 1)];
      bool merge = true;
      for (size_t t = 0; t < kTensors; ++t) merge = merge && outer.strides[t] == axis.strides[t] * axis.size;
      if (merge) {
        outer = {outer.size * axis.size, axis.strides};
        return;
      }
    }
    axes[static_cast<size_t>(rank++)] = axis;
  }

  template <class Line>
  void descend(int level, std::array<int64_t, kTensors> offsets, Line& line) const {
    const Axis& axis = axes[static_cast<size_t>(level)];
    if (level == rank - 1) return line(axis.size, offsets, axis.strides);
    for (int64_t i = 0; i < axis.size; ++i) {
      descend(level + 1, offsets, line);
      for (size_t t = 0; t < kTensors; ++t) offsets[t] += axis.strides[t];
    }
  }
};

/// out = f(x) for every element. x may be out itself (in place), which ivdep tells to the vectoriser.
template <class Out, class In, class F>
[[gnu::noinline]] void map(const Tensor& x, const Tensor& out, F f) {
  Out* out_data = out.data<Out>();
  const In* x_data = x.data<In>();
  BroadcastLoops<2>({&out, &x}).for_each_line([&](int64_t n, const auto& offsets, const auto& strides) {
    Out* y = out_data + offsets[0];
    const In* a = x_data + offsets[1];
    if (strides[0] == 1 && strides[1] == 1) {
#pragma GCC ivdep
      for (int64_t i = 0; i < n; ++i) y[i] = f(a[i]);
    } else {
      for (int64_t i = 0; i < n; ++i) y[i * strides[0]] = f(a[i * strides[1]]);
    }
  });
}

/// out = f(a, b) for every element, with vector loops for rows against rows, rows against scalars and scalars against
/// rows.
template <class Out, class A, class B, class F>
[[gnu::noinline]] void map2(const Tensor& a_tensor, const Tensor& b_tensor, const Tensor& out, F f) {
  Out* out_data = out.data<Out>();
  const A* a_data = a_tensor.data<A>();
  const B* b_data = b_tensor.data<B>();
  BroadcastLoops<3>({&out, &a_tensor, &b_tensor})
      .for_each_line([&](int64_t n, const auto& offsets, const auto& strides) {
        Out* y = out_data + offsets[0];
        const A* a = a_data + offsets[1];
        const B* b = b_data + offsets[2];
        if (strides[0] == 1 && strides[1] == 1 && strides[2] == 1) {
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], b[i]);
        } else if (strides[0] == 1 && strides[1] == 1 && strides[2] == 0) {
          const B value = *b;
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) y[i] = f(a[i], value);
        } else if (strides[0] == 1 && strides[1] == 0 && strides[2] == 1) {
          const A value = *a;
#pragma GCC ivdep
          for (int64_t i = 0; i < n; ++i) y[i] = f(value, b[i]);
        } else {
          for (int64_t i = 0; i < n; ++i) y[i * strides[0]] = f(a[i * strides[1]], b[i * strides[2]]);
        }
      });
}

}  // namespace wende::cpu
