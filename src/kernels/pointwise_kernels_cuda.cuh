#pragma once

#include <type_traits>
#include <utility>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "tensor/placement.h"
#include "tensor/strided_loops.h"

/// For CUDA sources: element-wise kernels over operands of any strides. F: a type with `static Out value(In...)`.
namespace wende::cuda {

template <class F, class Out, class... In>
__device__ void store_values(Out* to, const Pack<In>&... in) {
  Pack<Out> result;
  for (int k = 0; k < kPack; ++k) result.at[k] = F::value(in.at[k]...);
  store_pack(to, result);
}

template <class F, int N, class Out, class... In, size_t... I>
__device__ void one_value(const StridedLoops<N>& loops, int64_t i, std::index_sequence<I...>, Out* out,
                          const In*... in) {
  if (loops.dense) {
    out[i] = F::value(in[i]...);
  } else {
    const auto at = loops.offsets(i);
    out[at.at[0]] = F::value(in[at.at[I + 1]]...);
  }
}

template <class F, int N, class Out, class... In, size_t... I>
__device__ void one_pack(const StridedLoops<N>& loops, int64_t first, std::index_sequence<I...>, Out* out,
                         const In*... in) {
  if (loops.dense) {
    store_values<F>(out + first, load_pack(in + first, 1)...);
  } else {
    const auto at = loops.offsets(first);
    store_values<F>(out + at.at[0], load_pack(in + at.at[I + 1], inner_stride(loops, static_cast<int>(I) + 1))...);
  }
}

template <class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads)
    pointwise_kernel(StridedLoops<1 + sizeof...(In)> loops, Out* out, const In*... in) {
  for (const int64_t i : grid_range(loops.elements)) {
    one_value<F>(loops, i, std::index_sequence_for<In...>(), out, in...);
  }
}

template <class F, class Out, class... In>
__global__ void __launch_bounds__(kThreads)
    pointwise_packs_kernel(StridedLoops<1 + sizeof...(In)> loops, Out* out, const In*... in) {
  for (const int64_t i : grid_range((loops.elements + kPack - 1) / kPack)) {
    const int64_t first = i * kPack;
    if (first + kPack <= loops.elements) {
      one_pack<F>(loops, first, std::index_sequence_for<In...>(), out, in...);
    } else {
      for (int64_t k = first; k < loops.elements; ++k) {
        one_value<F>(loops, k, std::index_sequence_for<In...>(), out, in...);
      }
    }
  }
}

/// out = F::value(in...), with broadcasting.
template <class F, class Out, class... In, class... Inputs>
void pointwise(const Tensor& out, const Inputs&... in) {
  constexpr int kOperands = 1 + sizeof...(In);
  const Shape in_strides[] = {broadcast_strides(in, out.shape())...};
  const auto loops = [&]<size_t... I>(std::index_sequence<I...>) {
    return StridedLoops<kOperands>::make(out.shape(), {&out.strides(), &in_strides[I]...});
  }
  (std::index_sequence_for<In...>());
  Out* to = device_data<Out>(out);
  if (fits_packs(loops, static_cast<const Out*>(to), static_cast<const In*>(device_data<In>(in))...)) {
    launch(pointwise_packs_kernel<F, Out, In...>, blocks_for((loops.elements + kPack - 1) / kPack), kThreads, 0, loops,
           to, static_cast<const In*>(device_data<In>(in))...);
  } else {
    launch(pointwise_kernel<F, Out, In...>, blocks_for(loops.elements), kThreads, 0, loops, to,
           static_cast<const In*>(device_data<In>(in))...);
  }
}

template <class F, class Out, class In>
void map(const Tensor& x, const Tensor& out) {
  pointwise<F, Out, In>(out, x);
}

template <class F, class Out, class A, class B>
void map2(const Tensor& a, const Tensor& b, const Tensor& out) {
  pointwise<F, Out, A, B>(out, a, b);
}

}  // namespace wende::cuda
