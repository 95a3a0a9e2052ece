#include "collective/bfloat16.h"
#include "device/cuda_check.cuh"

namespace wende::cuda {
namespace {

__global__ void __launch_bounds__(kThreads) round_kernel(const float* from, uint16_t* to, int64_t n) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) to[i] = to_bfloat16(from[i]);
}

__global__ void __launch_bounds__(kThreads) widen_kernel(const uint16_t* from, float* to, int64_t n) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < n; i += step) to[i] = from_bfloat16(from[i]);
}

}  // namespace

void round_to_bfloat16(const float* from, uint16_t* to, size_t count) {
  const auto n = static_cast<int64_t>(count);
  launch(round_kernel, blocks_for(n), kThreads, 0, from, to, n);
}

void widen_bfloat16(const uint16_t* from, float* to, size_t count) {
  const auto n = static_cast<int64_t>(count);
  launch(widen_kernel, blocks_for(n), kThreads, 0, from, to, n);
}

}  // namespace wende::cuda
