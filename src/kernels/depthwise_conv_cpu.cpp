#include <algorithm>
#include <cstring>

#include "kernels/depthwise_conv.h"
#include "kernels/float_vector.h"
#include "kernels/scratch.h"

namespace wende::cpu {

namespace {

// Sums of kAtOnce rows of kWidth channels stay in registers.
#if defined(__AVX512F__)
constexpr int64_t kAtOnce = 8;
#else
constexpr int64_t kAtOnce = 5;
#endif
constexpr int64_t kWidth = 2 * kVector;

int64_t rounded_up(int64_t count) { return (count + kAtOnce - 1) / kAtOnce * kAtOnce; }

/// kWidth channels of the rows of one sequence, close together: [rows,kWidth].
class Strip {
 public:
  explicit Strip(int64_t rows) : rows_(rows), memory_(heap_scratch(Shape{std::max<int64_t>(rows, 1), kWidth})) {}

  float* row(int64_t i) const { return memory_.data<float>() + i * kWidth; }
  void clear() const { std::memset(row(0), 0, static_cast<size_t>(rows_ * kWidth) * sizeof(float)); }
  /// Row i from row first + i of x [count,channels]; zeros where x has none.
  void read(const float* x, int64_t count, int64_t channels, int64_t first, int64_t column) const {
    const int64_t width = std::min(kWidth, channels - column);
    const int64_t begin = std::clamp<int64_t>(-first, 0, rows_);
    const int64_t end = std::clamp<int64_t>(count - first, begin, rows_);
    clear();
    for (int64_t i = begin; i < end; ++i) std::memcpy(row(i), x + (first + i) * channels + column, bytes_of(width));
  }
  void write(int64_t begin, int64_t count, float* to, int64_t channels, int64_t column) const {
    const int64_t width = std::min(kWidth, channels - column);
    for (int64_t i = 0; i < count; ++i) std::memcpy(to + i * channels + column, row(begin + i), bytes_of(width));
  }

 private:
  static size_t bytes_of(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }
  int64_t rows_;
  Tensor memory_;
};

/// out[i] += sum over n < count of a[n * along + i * across] b[n], for kAtOnce rows i; element by element.
void add_products(const float* a, int64_t along, int64_t across, const float* b, int64_t count, float* out) {
  Vector sum[kAtOnce][2];
  for (int64_t i = 0; i < kAtOnce; ++i) {
    sum[i][0] = load(out + i * kWidth);
    sum[i][1] = load(out + i * kWidth + kVector);
  }
  for (int64_t n = 0; n < count; ++n) {
    const Vector b0 = load(b + n * kWidth);
    const Vector b1 = load(b + n * kWidth + kVector);
    const float* from = a + n * along * kWidth;
#pragma GCC unroll 8
    for (int64_t i = 0; i < kAtOnce; ++i) {
      sum[i][0] += load(from + i * across * kWidth) * b0;
      sum[i][1] += load(from + i * across * kWidth + kVector) * b1;
    }
  }
  for (int64_t i = 0; i < kAtOnce; ++i) {
    store(sum[i][0], out + i * kWidth);
    store(sum[i][1], out + i * kWidth + kVector);
  }
}

/// y [B,O,C] = sum over k of x [B,o + k * dilation - left,C] w [k,C], or of w in reverse order.
void correlate(const Tensor& x, const Tensor& w, bool reversed, int64_t dilation, int64_t left, const Tensor& y) {
  const int64_t channels = x.dim(2);
  const int64_t taps = w.dim(0);
  const int64_t steps = y.dim(1);
  const Strip strip(rounded_up(steps) + (taps - 1) * dilation);
  const Strip filter(taps);
  const Strip sums(kAtOnce);
  for (int64_t column = 0; column < channels; column += kWidth) {
    filter.read(w.data<float>(), taps, channels, 0, column);
    for (int64_t k = 0; reversed && k < taps / 2; ++k) {
      std::swap_ranges(filter.row(k), filter.row(k + 1), filter.row(taps - 1 - k));
    }
    for (int64_t b = 0; b < x.dim(0); ++b) {
      strip.read(x.data<float>() + b * x.dim(1) * channels, x.dim(1), channels, -left, column);
      float* to = y.data<float>() + b * steps * channels;
      for (int64_t step = 0; step < steps; step += kAtOnce) {
        sums.clear();
        add_products(strip.row(step), dilation, 1, filter.row(0), taps, sums.row(0));
        sums.write(0, std::min(kAtOnce, steps - step), to + step * channels, channels, column);
      }
    }
  }
}

}  // namespace

bool is_depthwise(const Tensor& x, const Tensor& w, const Tensor& y, const ConvGeometry& geometry) {
  return geometry.rank == 1 && geometry.strides[0] == 1 && w.dim(0) > 0 && geometry.groups == x.dim(-1) &&
         geometry.groups == y.dim(-1);
}

void depthwise_conv(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y) {
  correlate(x, w, false, geometry.dilations[0], geometry.left[0], y);
}

void depthwise_conv_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx) {
  const int64_t reach = (w.dim(0) - 1) * geometry.dilations[0];
  correlate(dy, w, true, geometry.dilations[0], reach - geometry.left[0], dx);
}

void depthwise_conv_filter_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw) {
  const int64_t channels = x.dim(2);
  const int64_t taps = dw.dim(0);
  const int64_t steps = dy.dim(1);
  const int64_t dilation = geometry.dilations[0];
  const Strip from(steps + (rounded_up(taps) - 1) * dilation);
  const Strip gradient(steps);
  const Strip sums(rounded_up(taps));
  for (int64_t column = 0; column < channels; column += kWidth) {
    sums.clear();
    for (int64_t b = 0; b < x.dim(0); ++b) {
      from.read(x.data<float>() + b * x.dim(1) * channels, x.dim(1), channels, -geometry.left[0], column);
      gradient.read(dy.data<float>() + b * steps * channels, steps, channels, 0, column);
      for (int64_t k = 0; k < taps; k += kAtOnce) {
        add_products(from.row(k * dilation), 1, dilation, gradient.row(0), steps, sums.row(k));
      }
    }
    sums.write(0, taps, dw.data<float>(), channels, column);
  }
}

}  // namespace wende::cpu
