#pragma once

#include <type_traits>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "tensor/placement.h"
#include "tensor/strided_loops.h"

/// For CUDA sources: element-wise kernels over operands of any strides. F: a type with `static Out value(In...)`.
namespace wende::cuda {

template <class F, class Out, class In>
__global__ void __launch_bounds__(kThreads) map_kernel(StridedLoops<2> loops, Out* out, const In* x) {
  for (const int64_t i : grid_range(loops.elements)) {
    if (loops.dense) {
      out[i] = F::value(x[i]);
    } else {
      const auto at = loops.offsets(i);
      out[at.at[0]] = F::value(x[at.at[1]]);
    }
  }
}

template <class F, class Out, class A, class B>
__global__ void __launch_bounds__(kThreads) map2_kernel(StridedLoops<3> loops, Out* out, const A* a, const B* b) {
  for (const int64_t i : grid_range(loops.elements)) {
    if (loops.dense) {
      out[i] = F::value(a[i], b[i]);
    } else {
      const auto at = loops.offsets(i);
      out[at.at[0]] = F::value(a[at.at[1]], b[at.at[2]]);
    }
  }
}

template <class F, class Out, class In>
void map(const Tensor& x, const Tensor& out) {
  const Shape x_strides = broadcast_strides(x, out.shape());
  const auto loops = StridedLoops<2>::make(out.shape(), {&out.strides(), &x_strides});
  launch(map_kernel<F, Out, In>, blocks_for(loops.elements), kThreads, 0, loops, device_data<Out>(out),
         device_data<In>(x));
}

template <class F, class Out, class A, class B>
void map2(const Tensor& a, const Tensor& b, const Tensor& out) {
  const Shape a_strides = broadcast_strides(a, out.shape());
  const Shape b_strides = broadcast_strides(b, out.shape());
  const auto loops = StridedLoops<3>::make(out.shape(), {&out.strides(), &a_strides, &b_strides});
  launch(map2_kernel<F, Out, A, B>, blocks_for(loops.elements), kThreads, 0, loops, device_data<Out>(out),
         device_data<A>(a), device_data<B>(b));
}

}  // namespace wende::cuda
