#include <algorithm>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "kernels/conv.h"
#include "kernels/gemm.h"
#include "kernels/pointwise.h"
#include "kernels/window_walk_cuda.cuh"
#include "tensor/placement.h"

/// Convolutions as products: windows of x become rows of a matrix [outputs, places * channels], some sequences at a
/// time. Groups have columns of their own.
namespace wende::cuda {
namespace {

/// windows [sequences * outputs, places, c] from x, whose rows have `channels` units, of which c are the group's.
template <class T>
__global__ void __launch_bounds__(kThreads)
    gather_windows_kernel(WindowWalk walk, const T* __restrict__ x, int64_t channels, int64_t c, int64_t rows,
                          T* __restrict__ windows) {
  const int64_t places = walk.places();
  const int64_t outputs = walk.outputs();
  for (const int64_t to : row_range(rows)) {
    const int64_t output = to / places;
    const int64_t row = walk.input_of(output % outputs, to % places);
    const T* const from = x + (output / outputs * walk.inputs() + row) * channels;
    for (const int64_t i : along_row(c)) windows[to * c + i] = row < 0 ? T{} : from[i];
  }
}

/// The transposition: each element of dx sums up what it is in the windows, in the order of their places.
template <int kWidth>
__global__ void __launch_bounds__(kThreads)
    sum_windows_kernel(WindowWalk walk, const float* windows, int64_t channels, int64_t c, int64_t rows, float* dx) {
  const int64_t places = walk.places();
  for (const int64_t row : row_range(rows)) {
    const int64_t s = row % walk.inputs();
    const int64_t first = row / walk.inputs() * walk.outputs();
    for (const int64_t i : along_row(c / kWidth)) {
      Floats<kWidth> sum{};
      for (int64_t k = 0; k < places; ++k) {
        const int64_t output = walk.output_of(s, k);
        if (output < 0) continue;
        const float* const from = windows + ((first + output) * places + k) * c;
        const auto some = reinterpret_cast<const Floats<kWidth>*>(from)[i];
        for (int w = 0; w < kWidth; ++w) sum.at[w] += some.at[w];
      }
      reinterpret_cast<Floats<kWidth>*>(dx + row * channels)[i] = sum;
    }
  }
}

/// Some sequences of a batch, and one group of channels.
struct Piece {
  int64_t sequences;
  const float* x;
  const float* y;
  const float* w;
  bool first;  ///< of its group
};

/// Sizes of one convolution; `each` visits its pieces with memory for their windows.
struct Problem {
  WindowWalk walk;
  int64_t batch, channels, c, outputs, n, groups;
  const Tensor& x;
  const Tensor& y;
  const Tensor& w;

  Problem(const Tensor& x_tensor, const Tensor& w_tensor, const Tensor& y_tensor, const cpu::ConvGeometry& geometry)
      : batch(x_tensor.dim(0)),
        channels(x_tensor.dim(-1)),
        c(channels / geometry.groups),
        outputs(y_tensor.dim(-1)),
        n(outputs / geometry.groups),
        groups(geometry.groups),
        x(x_tensor),
        y(y_tensor),
        w(w_tensor) {
    int64_t window[3] = {1, 1, 1};
    for (int i = 0; i < geometry.rank; ++i) window[i] = w_tensor.dim(i);
    walk = WindowWalk::make(x_tensor, y_tensor, geometry, window);
  }

  bool empty() const { return x.elements() == 0 || y.elements() == 0 || w.elements() == 0; }
  int64_t inner() const { return walk.places() * c; }  ///< numbers of a window

  template <class F>
  void each(F f) const {
    constexpr int64_t kMostFloats = int64_t{64} << 20;
    const int64_t of_sequence = walk.outputs() * inner();
    const int64_t most = std::clamp<int64_t>(kMostFloats / of_sequence, 1, batch);
    const Tensor windows = Tensor::empty(DType::kFloat32, Shape{most * of_sequence}, x.device());
    for (int64_t group = 0; group < groups; ++group) {
      for (int64_t begin = 0; begin < batch; begin += most) {
        const Piece piece{std::min(most, batch - begin),
                          device_data<float>(x) + begin * walk.inputs() * channels + group * c,
                          device_data<float>(y) + begin * walk.outputs() * outputs + group * n,
                          device_data<float>(w) + group * n, begin == 0};
        f(piece, device_data<float>(windows));
      }
    }
  }

  void gather(const Piece& piece, float* windows) const {
    const int64_t rows = piece.sequences * walk.outputs() * walk.places();
    const auto start = [&](auto unit, int64_t n) {
      using T = decltype(unit);
      const RowGrid grid = row_grid(rows, n);
      launch(gather_windows_kernel<T>, grid.blocks, grid.threads, 0, walk, reinterpret_cast<const T*>(piece.x),
             n * groups, n, rows, reinterpret_cast<T*>(windows));
    };
    with_units(c * 4, start, piece.x, windows);
  }
};

}  // namespace

void conv(const Tensor& x, const Tensor& w, const cpu::ConvGeometry& geometry, const Tensor& y) {
  const Problem p(x, w, y, geometry);
  if (p.empty()) return fill(y, 0.0);
  p.each([&p](const Piece& piece, float* windows) {
    p.gather(piece, windows);
    gemm(false, false, piece.sequences * p.walk.outputs(), p.n, p.inner(), 1.0f, windows, p.inner(), piece.w, p.outputs,
         0.0f, const_cast<float*>(piece.y), p.outputs);
  });
}

void conv_input_grad(const Tensor& dy, const Tensor& w, const cpu::ConvGeometry& geometry, const Tensor& dx) {
  const Problem p(dx, w, dy, geometry);
  if (p.empty()) return fill(dx, 0.0);
  p.each([&p](const Piece& piece, float* windows) {
    gemm(false, true, piece.sequences * p.walk.outputs(), p.inner(), p.n, 1.0f, piece.y, p.outputs, piece.w, p.outputs,
         0.0f, windows, p.inner());
    const int64_t rows = piece.sequences * p.walk.inputs();
    const float* from = windows;
    float* const to = const_cast<float*>(piece.x);
    const auto start = [&](auto width) {
      const RowGrid grid = row_grid(rows, p.c / width());
      launch(sum_windows_kernel<width()>, grid.blocks, grid.threads, 0, p.walk, from, p.channels, p.c, rows, to);
    };
    with_floats(p.c, start, from, to);
  });
}

void conv_filter_grad(const Tensor& x, const Tensor& dy, const cpu::ConvGeometry& geometry, const Tensor& dw) {
  const Problem p(x, dw, dy, geometry);
  if (p.empty()) return fill(dw, 0.0);
  p.each([&p](const Piece& piece, float* windows) {
    p.gather(piece, windows);
    gemm(true, false, p.inner(), p.n, piece.sequences * p.walk.outputs(), 1.0f, windows, p.inner(), piece.y, p.outputs,
         piece.first ? 0.0f : 1.0f, const_cast<float*>(piece.w), p.outputs);
  });
}

}  // namespace wende::cuda
