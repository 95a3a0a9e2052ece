#pragma once

#include "device/block_reduce.cuh"
#include "kernels/vector_math.h"

namespace wende::cuda {

/// log(sum of e^x) over a row; a block works on it, and all threads get the result.
__device__ inline float row_log_sum_exp(const float* x, int64_t n) {
  float most = -INFINITY;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) most = Largest()(most, x[i]);
  most = block_reduce(most, -INFINITY, Largest());
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += vm::exp(x[i] - most);
  return most + vm::log(block_reduce(sum, 0.0f, Sum()));
}

}  // namespace wende::cuda
