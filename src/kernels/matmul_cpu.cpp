#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/matmul.h"

namespace wende::cpu {

namespace {

int64_t rows_of(const Tensor& x) { return x.dim(-1) == 0 ? 0 : x.elements() / x.dim(-1); }

void add_rows(const float* __restrict x, int64_t rows, int64_t columns, int64_t stride, float* __restrict sum) {
  for (int64_t row = 0; row < rows; ++row, x += stride) {
    for (int64_t i = 0; i < columns; ++i) sum[i] += x[i];
  }
}

}  // namespace

void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Tensor& out) {
  const int64_t k = x.dim(-1);
  const int64_t n = out.dim(-1);
  const int64_t rows = n == 0 ? 0 : out.elements() / n;
  const int64_t ldw = transpose_w ? k : n;
  const float* from = x.data<float>();
  float* to = out.data<float>();
  if (!bias.defined()) {
    gemm(false, transpose_w, rows, n, k, 1.0f, from, k, w.data<float>(), ldw, 0.0f, to, n);
    return;
  }
  const float* b = bias.data<float>();
  for (int64_t row = 0; row < rows; ++row) std::memcpy(to + row * n, b, static_cast<size_t>(n) * sizeof(float));
  gemm(false, transpose_w, rows, n, k, 1.0f, from, k, w.data<float>(), ldw, 1.0f, to, n);
}

void linear_weight_grad(const Tensor& a, const Tensor& b, const Tensor& out) {
  const int64_t k = a.dim(-1);
  const int64_t n = b.dim(-1);
  gemm(true, false, k, n, rows_of(a), 1.0f, a.data<float>(), k, b.data<float>(), n, 0.0f, out.data<float>(), n);
}

void column_sum(const Tensor& x, const Tensor& out) {
  // Partial sums over blocks of rows keep the rounding error small; column tiles stay in the L1 cache.
  constexpr int64_t kRows = 64;
  constexpr int64_t kColumns = 512;
  const int64_t n = out.elements();
  const int64_t rows = rows_of(x);
  const float* from = x.data<float>();
  float* to = out.data<float>();
  std::fill(to, to + n, 0.0f);
  float partial[kColumns];
  for (int64_t row = 0; row < rows; row += kRows) {
    const int64_t height = std::min(kRows, rows - row);
    for (int64_t column = 0; column < n; column += kColumns) {
      const int64_t width = std::min(kColumns, n - column);
      std::fill(partial, partial + width, 0.0f);
      add_rows(from + row * n + column, height, width, n, partial);
      for (int64_t i = 0; i < width; ++i) to[column + i] += partial[i];
    }
  }
}

void batch_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, const Tensor& out) {
  const int64_t m = out.dim(-2);
  const int64_t n = out.dim(-1);
  const int64_t k = transpose_a ? a.dim(-2) : a.dim(-1);
  const int64_t count = m * n == 0 ? 0 : out.elements() / (m * n);
  const float* pa = a.data<float>();
  const float* pb = b.data<float>();
  float* pc = out.data<float>();
  for (int64_t i = 0; i < count; ++i) {
    gemm(transpose_a, transpose_b, m, n, k, 1.0f, pa + i * m * k, a.dim(-1), pb + i * k * n, b.dim(-1), 0.0f,
         pc + i * m * n, n);
  }
}

}  // namespace wende::cpu
