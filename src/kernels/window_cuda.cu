#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "kernels/window.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Rows of n units: x [outer,times,n], out [outer,times,width,n].
template <class T>
__global__ void __launch_bounds__(kThreads) window_kernel(const T* __restrict__ x, int64_t left, int64_t times,
                                                          int64_t width, int64_t rows, int64_t n, T* __restrict__ out) {
  for (const int64_t row : row_range(rows)) {
    const int64_t frame = row / width;
    const int64_t from = frame % times + row % width - left;
    const T* const in = x + (frame + row % width - left) * n;
    for (const int64_t i : along_row(n)) out[row * n + i] = from >= 0 && from < times ? in[i] : T{};
  }
}

/// Rows of n floats: x [outer,times,width,n], out [outer,times,n].
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    window_sum_kernel(const float* x, int64_t left, int64_t times, int64_t width, int64_t rows, int64_t n, float* out) {
  for (const int64_t row : row_range(rows)) {
    const int64_t t = row % times;
    for (const int64_t i : along_row(n / kWidth)) {
      Floats<kWidth> sum{};
      for (int64_t w = 0; w < width; ++w) {
        const int64_t at = t - w + left;
        if (at < 0 || at >= times) continue;
        const float* const from = x + ((row - w + left) * width + w) * n;
        const auto some = reinterpret_cast<const Floats<kWidth>*>(from)[i];
        for (int k = 0; k < kWidth; ++k) sum.at[k] += some.at[k];
      }
      reinterpret_cast<Floats<kWidth>*>(out + row * n)[i] = sum;
    }
  }
}

}  // namespace

void window(const Tensor& x, int64_t left, const Tensor& out) {
  if (out.elements() == 0) return;
  const int64_t rows = out.elements() / out.dim(3);
  const auto start = [&](auto unit, int64_t n) {
    using T = decltype(unit);
    const RowGrid grid = row_grid(rows, n);
    launch(window_kernel<T>, grid.blocks, grid.threads, 0, reinterpret_cast<const T*>(x.raw()), left, out.dim(1),
           out.dim(2), rows, n, reinterpret_cast<T*>(out.raw()));
  };
  with_units(out.dim(3) * 4, start, x.raw(), out.raw());
}

void window_sum(const Tensor& x, int64_t left, const Tensor& out) {
  if (out.elements() == 0) return;
  const int64_t n = x.dim(3);
  const int64_t rows = out.elements() / n;
  const float* from = device_data<float>(x);
  float* to = device_data<float>(out);
  const auto start = [&](auto width) {
    const RowGrid grid = row_grid(rows, n / width());
    launch(window_sum_kernel<width()>, grid.blocks, grid.threads, 0, from, left, x.dim(1), x.dim(2), rows, n, to);
  };
  with_floats(n, start, from, to);
}

}  // namespace wende::cuda
