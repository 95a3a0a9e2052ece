#include <algorithm>
#include <cmath>

#include "kernels/softmax.h"
#include "kernels/softmax_row.h"
#include "kernels/vector_math.h"

namespace wende::cpu {

namespace {

/// x as [outer, size, inner] around an axis.
struct Layout {
  int64_t outer = 1, size = 1, inner = 1;
  Layout(const Tensor& x, int axis) {
    if (axis < 0) axis += x.rank();
    for (int i = 0; i < axis; ++i) outer *= x.dim(i);
    size = x.dim(axis);
    for (int i = axis + 1; i < x.rank(); ++i) inner *= x.dim(i);
  }
};

void softmax_row(const float* __restrict x, int64_t n, bool log, float* __restrict out) {
  const float most = row_max(x, n);
  const float sum = row_sum_exp(x, n, most);
  if (log) {
    const float shift = most + std::log(sum);
    for (int64_t i = 0; i < n; ++i) out[i] = x[i] - shift;
  } else {
    const float scale = 1.0f / sum;
    for (int64_t i = 0; i < n; ++i) out[i] = vm::exp(x[i] - most) * scale;
  }
}

constexpr int64_t kTile = 128;

/// Up to kTile neighbouring slices at once, so that the inner loops are contiguous.
void softmax_tile(const float* x, int64_t size, int64_t inner, int64_t width, bool log, float* out) {
  float most[kTile];
  float sum[kTile];
  std::copy(x, x + width, most);
  std::fill(sum, sum + width, 0.0f);
  for (int64_t i = 1; i < size; ++i) {
    const float* row = x + i * inner;
    for (int64_t k = 0; k < width; ++k) most[k] = row[k] > most[k] ? row[k] : most[k];
  }
  for (int64_t i = 0; i < size; ++i) {
    const float* row = x + i * inner;
    for (int64_t k = 0; k < width; ++k) sum[k] += vm::exp(row[k] - most[k]);
  }
  for (int64_t k = 0; k < width; ++k) sum[k] = log ? std::log(sum[k]) : 1.0f / sum[k];
  for (int64_t i = 0; i < size; ++i) {
    const float* row = x + i * inner;
    float* to = out + i * inner;
    if (log) {
      for (int64_t k = 0; k < width; ++k) to[k] = row[k] - most[k] - sum[k];
    } else {
      for (int64_t k = 0; k < width; ++k) to[k] = vm::exp(row[k] - most[k]) * sum[k];
    }
  }
}

void grad_row(const float* __restrict y, const float* __restrict dy, int64_t n, bool log, float* __restrict dx) {
  const float dot = log ? row_sum(dy, n) : row_dot(y, dy, n);
  if (log) {
    for (int64_t i = 0; i < n; ++i) dx[i] = dy[i] - vm::exp(y[i]) * dot;
  } else {
    for (int64_t i = 0; i < n; ++i) dx[i] = y[i] * (dy[i] - dot);
  }
}

void grad_tile(const float* y, const float* dy, int64_t size, int64_t inner, int64_t width, bool log, float* dx) {
  float dot[kTile];
  std::fill(dot, dot + width, 0.0f);
  for (int64_t i = 0; i < size; ++i) {
    for (int64_t k = 0; k < width; ++k) dot[k] += log ? dy[i * inner + k] : y[i * inner + k] * dy[i * inner + k];
  }
  for (int64_t i = 0; i < size; ++i) {
    const float* row = y + i * inner;
    const float* grad = dy + i * inner;
    float* to = dx + i * inner;
    if (log) {
      for (int64_t k = 0; k < width; ++k) to[k] = grad[k] - vm::exp(row[k]) * dot[k];
    } else {
      for (int64_t k = 0; k < width; ++k) to[k] = row[k] * (grad[k] - dot[k]);
    }
  }
}

}  // namespace

void softmax(const Tensor& x, int axis, bool log, const Tensor& out) {
  if (x.elements() == 0) return;
  const Layout at(x, axis);
  const float* from = x.data<float>();
  float* to = out.data<float>();
  for (int64_t outer = 0; outer < at.outer; ++outer) {
    const int64_t base = outer * at.size * at.inner;
    if (at.inner == 1) {
      softmax_row(from + base, at.size, log, to + base);
      continue;
    }
    for (int64_t k = 0; k < at.inner; k += kTile) {
      softmax_tile(from + base + k, at.size, at.inner, std::min(kTile, at.inner - k), log, to + base + k);
    }
  }
}

void softmax_grad(const Tensor& y, const Tensor& dy, int axis, bool log, const Tensor& dx) {
  if (y.elements() == 0) return;
  const Layout at(y, axis);
  const float* py = y.data<float>();
  const float* pdy = dy.data<float>();
  float* to = dx.data<float>();
  for (int64_t outer = 0; outer < at.outer; ++outer) {
    const int64_t base = outer * at.size * at.inner;
    if (at.inner == 1) {
      grad_row(py + base, pdy + base, at.size, log, to + base);
      continue;
    }
    for (int64_t k = 0; k < at.inner; k += kTile) {
      grad_tile(py + base + k, pdy + base + k, at.size, at.inner, std::min(kTile, at.inner - k), log, to + base + k);
    }
  }
}

}  // namespace wende::cpu
