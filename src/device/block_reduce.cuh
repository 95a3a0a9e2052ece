#pragma once

#include <cuda_runtime.h>

#include <cstdint>

/// For CUDA sources: reductions over a block in a fixed order, the same bits on every run and every GPU.
namespace wende::cuda {

struct Sum {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return a + b;
  }
};
/// Ignores NaN in b, as the CPU's rows do.
struct Largest {
  template <class T>
  __device__ T operator()(T a, T b) const {
    return b > a ? b : a;
  }
};

/// All lanes get the result. The order of the tree is fixed, hence so are the bits, if f commutes.
template <class T, class F>
__device__ T warp_reduce(T value, F f) {
  for (int distance = 16; distance > 0; distance >>= 1) {
    value = f(value, __shfl_xor_sync(0xffffffffu, value, distance));
  }
  return value;
}

/// All threads get the result; blockDim.x is a multiple of 32. T: 4 or 8 bytes.
template <class T, class F>
__device__ T block_reduce(T value, T neutral, F f) {
  __shared__ T parts[32];
  value = warp_reduce(value, f);
  if (blockDim.x == 32) return value;
  __syncthreads();  // an earlier call may still read `parts`
  if (threadIdx.x % 32 == 0) parts[threadIdx.x / 32] = value;
  __syncthreads();
  value = threadIdx.x % 32 < blockDim.x / 32 ? parts[threadIdx.x % 32] : neutral;
  return warp_reduce(value, f);
}

/// Threads for a block that works on one row of n elements.
inline unsigned threads_for_row(int64_t n) { return n <= 128 ? 32 : n <= 1024 ? 128 : 256; }

}  // namespace wende::cuda
