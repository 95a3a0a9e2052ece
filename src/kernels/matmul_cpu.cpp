#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/gemm.h"
#include "kernels/matmul.h"

namespace wende::cpu {

namespace {

int64_t rows_of(const Tensor& x) { return x.dim(-1) == 0 ? 0 : x.elements() / x.dim(-1); }

size_t bytes_of(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

void add_row(const float* __restrict x, int64_t columns, float* __restrict sum) {
  for (int64_t i = 0; i < columns; ++i) sum[i] += x[i];
}

void gather_rows(const float* x, const Rows& rows, int64_t begin, int64_t count, int64_t n, float* to) {
  for (int64_t i = 0; i < count; ++i) {
    std::memcpy(to + i * n, x + rows[static_cast<size_t>(begin + i)] * n, bytes_of(n));
  }
}

/// Moves the first rows to their places and writes zeros between them. Rows ascend, so from the last one on nothing is
/// overwritten before it has moved.
void spread_rows(const Rows& rows, int64_t all, int64_t n, float* x) {
  int64_t end = all;
  for (int64_t i = static_cast<int64_t>(rows.size()) - 1; i >= 0; --i) {
    const int64_t row = rows[static_cast<size_t>(i)];
    if (row != i) std::memcpy(x + row * n, x + i * n, bytes_of(n));
    std::memset(x + (row + 1) * n, 0, bytes_of((end - row - 1) * n));
    end = row;
  }
  std::memset(x, 0, bytes_of(end * n));
}

}  // namespace

void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Rows* rows,
            const Scratch& scratch, const Tensor& out) {
  const int64_t k = x.dim(-1);
  const int64_t n = out.dim(-1);
  const int64_t all = n == 0 ? 0 : out.elements() / n;
  const int64_t count = rows ? static_cast<int64_t>(rows->size()) : all;
  const int64_t ldw = transpose_w ? k : n;
  Tensor gathered;
  const float* from = x.data<float>();
  if (rows) {
    gathered = scratch(Shape{count, k});
    gather_rows(from, *rows, 0, count, k, gathered.data<float>());
    from = gathered.data<float>();
  }
  float* to = out.data<float>();
  if (bias.defined()) {
    const float* b = bias.data<float>();
    for (int64_t row = 0; row < count; ++row) std::memcpy(to + row * n, b, bytes_of(n));
  }
  gemm(false, transpose_w, count, n, k, 1.0f, from, k, w.data<float>(), ldw, bias.defined() ? 1.0f : 0.0f, to, n);
  if (rows) spread_rows(*rows, all, n, to);
}

void linear_weight_grad(const Tensor& a, const Tensor& b, const Rows* rows, const Scratch& scratch, const Tensor& out) {
  const int64_t k = a.dim(-1);
  const int64_t n = b.dim(-1);
  const float* pa = a.data<float>();
  const float* pb = b.data<float>();
  float* to = out.data<float>();
  if (!rows || rows->empty()) {
    gemm(true, false, k, n, rows ? 0 : rows_of(a), 1.0f, pa, k, pb, n, 0.0f, to, n);
    return;
  }
  constexpr int64_t kChunk = 1536;  // four blocks of the inner size that the GEMM library uses itself
  const int64_t count = static_cast<int64_t>(rows->size());
  const Tensor memory_a = scratch(Shape{std::min(kChunk, count), k});
  const Tensor memory_b = scratch(Shape{std::min(kChunk, count), n});
  for (int64_t begin = 0; begin < count; begin += kChunk) {
    const int64_t height = std::min(kChunk, count - begin);
    gather_rows(pa, *rows, begin, height, k, memory_a.data<float>());
    gather_rows(pb, *rows, begin, height, n, memory_b.data<float>());
    gemm(true, false, k, n, height, 1.0f, memory_a.data<float>(), k, memory_b.data<float>(), n,
         begin == 0 ? 0.0f : 1.0f, to, n);
  }
}

void column_sum(const Tensor& x, const Rows* rows, const Tensor& out) {
  // Partial sums over blocks of rows keep the rounding error small; column tiles stay in the L1 cache.
  constexpr int64_t kRows = 64;
  constexpr int64_t kColumns = 512;
  const int64_t n = out.elements();
  const int64_t count = rows ? static_cast<int64_t>(rows->size()) : rows_of(x);
  const float* from = x.data<float>();
  float* to = out.data<float>();
  std::fill(to, to + n, 0.0f);
  float partial[kColumns];
  for (int64_t row = 0; row < count; row += kRows) {
    const int64_t end = std::min(row + kRows, count);
    for (int64_t column = 0; column < n; column += kColumns) {
      const int64_t width = std::min(kColumns, n - column);
      std::fill(partial, partial + width, 0.0f);
      for (int64_t r = row; r < end; ++r) {
        add_row(from + (rows ? (*rows)[static_cast<size_t>(r)] : r) * n + column, width, partial);
      }
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
