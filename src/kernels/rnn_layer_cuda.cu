#include <algorithm>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
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
  const TransposedCopy copy = copies.copy[blockIdx.z];
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

/// The frame (t,b) of this block's rows [T*B], and whether it is padding.
struct FramePlace {
  int64_t t;
  int64_t length;
  __device__ FramePlace(int64_t row, const int32_t* lengths, int64_t batch)
      : t(row / batch), length(lengths[row % batch]) {}
  __device__ bool padding() const { return t >= length; }
};

/// Frames of n units.
template <class T>
__global__ void __launch_bounds__(kThreads)
    reverse_kernel(const T* __restrict__ x, const int32_t* lengths, int64_t rows, int64_t batch, int64_t n,
                   T* __restrict__ out) {
  for (const int64_t row : row_range(rows)) {
    const FramePlace place(row, lengths, batch);
    const T* from = x + (row + (place.length - 1 - 2 * place.t) * batch) * n;
    for (const int64_t i : along_row(n)) out[row * n + i] = place.padding() ? T{} : from[i];
  }
}

template <class T>
__global__ void __launch_bounds__(kThreads)
    clear_padding_kernel(const int32_t* lengths, int64_t rows, int64_t batch, int64_t n, T* out) {
  for (const int64_t row : row_range(rows)) {
    if (!FramePlace(row, lengths, batch).padding()) continue;
    for (const int64_t i : along_row(n)) out[row * n + i] = T{};
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
  const int64_t rows = x.dim(0) * x.dim(1);
  const auto start = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    const RowGrid grid = row_grid(rows, n);
    launch(reverse_kernel<T>, grid.blocks, grid.threads, 0, reinterpret_cast<const T*>(x.raw()),
           device_data<int32_t>(lengths), rows, x.dim(1), n, reinterpret_cast<T*>(out.raw()));
  };
  with_units(x.dim(2) * 4, start, x.raw(), out.raw());
}

void clear_padding(const Tensor& x, const Tensor& lengths) {
  const int64_t rows = x.dim(0) * x.dim(1);
  const auto start = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    const RowGrid grid = row_grid(rows, n);
    launch(clear_padding_kernel<T>, grid.blocks, grid.threads, 0, device_data<int32_t>(lengths), rows, x.dim(1), n,
           reinterpret_cast<T*>(x.raw()));
  };
  with_units(x.dim(2) * 4, start, x.raw());
}

}  // namespace wende::cuda
