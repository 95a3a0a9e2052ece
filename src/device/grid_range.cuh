#pragma once

#include <cuda_runtime.h>

#include <cstdint>

#include "device/cuda_check.cuh"

/// For kernels: `for (const int64_t i : grid_range(n))` visits each of 0 ... n-1 in one thread of the grid, neighbours
/// in neighbouring threads, whatever the grid's size. For those on rows of n elements, launched on a row_grid:
/// `for (const int64_t row : row_range(rows))` and in it `for (const int64_t i : along_row(n))`; what a row needs is
/// computed once for all elements of a thread.
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

  __device__ GridRange(int64_t first, int64_t step, int64_t n) : begin_{first, step}, n_(n) {}
  __device__ Place begin() const { return begin_; }
  __device__ Place end() const { return {n_, 0}; }

 private:
  Place begin_;
  int64_t n_;
};

__device__ inline GridRange grid_range(int64_t n) {
  return {int64_t{blockIdx.x} * blockDim.x + threadIdx.x, int64_t{gridDim.x} * blockDim.x, n};
}
__device__ inline GridRange row_range(int64_t rows) {
  return {int64_t{blockIdx.x} * blockDim.y + threadIdx.y, int64_t{gridDim.x} * blockDim.y, rows};
}
__device__ inline GridRange along_row(int64_t n) {
  return {int64_t{blockIdx.y} * blockDim.x + threadIdx.x, int64_t{gridDim.y} * blockDim.x, n};
}

/// Blocks of kThreads: along rows in x, over rows in y; of a long row each block has a part.
struct RowGrid {
  dim3 blocks;
  dim3 threads;
};
inline RowGrid row_grid(int64_t rows, int64_t n) {
  unsigned along = 1;
  while (along < kThreads && along < n) along *= 2;
  const unsigned in_block = kThreads / along;
  return {dim3(blocks_for(rows, in_block, 65536), n == 0 ? 0 : blocks_for(n, 4 * along, 64)), dim3(along, in_block)};
}

}  // namespace wende::cuda
