#include <algorithm>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/rnn_layer_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

constexpr int64_t kTile = 32;
constexpr unsigned kTileRows = 8;

struct Copies {
  TransposedCopy copy[kMostCopies];
};

/// A tile per block, one copy per blockIdx.z; both sides are read and written along their rows.
__global__ void __launch_bounds__(kTile* kTileRows) transposed_kernel(Copies copies) {
  __shared__ float tile[kTile][kTile + 1];
  const TransposedCopy& copy = copies.copy[blockIdx.z];
  const int64_t first_row = int64_t{blockIdx.y} * kTile;
  const int64_t first_column = int64_t{blockIdx.x} * kTile;
  for (int64_t i = threadIdx.y; i < kTile; i += kTileRows) {
    const int64_t row = first_row + i;
    const int64_t column = first_column + threadIdx.x;
    if (row < copy.rows && column < copy.columns) tile[i][threadIdx.x] = copy.from[row * copy.from_stride + column];
  }
  __syncthreads();
  for (int64_t i = threadIdx.y; i < kTile; i += kTileRows) {
    const int64_t row = first_row + threadIdx.x;
    const int64_t column = first_column + i;
    if (row < copy.rows && column < copy.columns)
      copy.to[column * copy.to_stride + row] = tile[threadIdx.x][i] + copy.plus;
  }
}

__global__ void __launch_bounds__(kThreads)
    reverse_kernel(const float* x, const int32_t* lengths, int64_t batch, int64_t n, int64_t elements, float* out) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t t = i / (batch * n);
    const int64_t length = lengths[i / n % batch];
    out[i] = t < length ? x[i + (length - 1 - 2 * t) * batch * n] : 0.0f;
  }
}

}  // namespace

void copy_transposed(const std::vector<TransposedCopy>& copies) {
  if (copies.size() > kMostCopies) throw internal_error("too many transposed copies at once");
  Copies all{};
  int64_t rows = 0;
  int64_t columns = 0;
  for (size_t i = 0; i < copies.size(); ++i) {
    all.copy[i] = copies[i];
    rows = std::max(rows, copies[i].rows);
    columns = std::max(columns, copies[i].columns);
  }
  const dim3 grid(static_cast<unsigned>((columns + kTile - 1) / kTile),
                  static_cast<unsigned>((rows + kTile - 1) / kTile), static_cast<unsigned>(copies.size()));
  launch(transposed_kernel, grid, dim3(kTile, kTileRows), 0, all);
}

void reverse_frames(const Tensor& x, const Tensor& lengths, const Tensor& out) {
  launch(reverse_kernel, blocks_for(x.elements()), kThreads, 0, device_data<float>(x), device_data<int32_t>(lengths),
         x.dim(1), x.dim(2), x.elements(), device_data<float>(out));
}

}  // namespace wende::cuda
