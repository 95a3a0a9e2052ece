#pragma once

#include <cuda_runtime.h>

#include <cstdint>

/// For CUDA sources: values and their places as numbers that compare as wanted.
namespace wende::cuda {

using Key = unsigned long long;

__device__ inline uint32_t ordered(float x) {
  const uint32_t bits = __float_as_uint(x + 0.0f);  // -0 and 0 are equal
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}
__device__ inline uint32_t ordered(int32_t x) { return static_cast<uint32_t>(x) ^ 0x80000000u; }

/// Larger for larger values, and for the first of equal ones; never 0.
template <class T>
__device__ Key key_of(T x, int64_t index) {
  return static_cast<Key>(ordered(x)) << 32 | (0xffffffffu - static_cast<uint32_t>(index));
}
__device__ inline int64_t index_of(Key key) { return 0xffffffffu - static_cast<uint32_t>(key); }

}  // namespace wende::cuda
