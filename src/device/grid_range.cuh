#pragma once

#include <cuda_runtime.h>

#include <cstdint>

/// For kernels: `for (const int64_t i : grid_range(n))` visits each of 0 ... n-1 in one thread of the grid, neighbours
/// in neighbouring threads, whatever the grid's size.
namespace wende::cuda {

class GridRange {
 public:
  struct Place {
    int64_t value;
    int64_t step;
    __device__ int64_t operator*() const { return value; }
    __device__ void operator++() { value += step; }
    /// Places jump over the end: the loop goes on while they are before it.
    __device__ bool operator!=(const Place& end) const { return value < end.value; }
  };

  __device__ explicit GridRange(int64_t n) : n_(n) {}
  __device__ Place begin() const {
    return {int64_t{blockIdx.x} * blockDim.x + threadIdx.x, int64_t{gridDim.x} * blockDim.x};
  }
  __device__ Place end() const { return {n_, 0}; }

 private:
  int64_t n_;
};

__device__ inline GridRange grid_range(int64_t n) { return GridRange(n); }

}  // namespace wende::cuda
