#include <algorithm>
#include <cstring>
#include <vector>

#include "kernels/column_product.h"
#include "kernels/gemm.h"
#include "kernels/matmul.h"
#include "kernels/pointwise.h"
#include "kernels/row_product.h"

namespace wende::cpu {

namespace {

int64_t rows_of(const Tensor& x) { return x.dim(-1) == 0 ? 0 : x.elements() / x.dim(-1); }

size_t bytes_of(int64_t floats) { return static_cast<size_t>(floats) * sizeof(float); }

void add_row(const float* __restrict x, int64_t columns, float* __restrict sum) {
  for (int64_t i = 0; i < columns; ++i) sum[i] += x[i];
}

constexpr int64_t kRowsWorthPacking = 192;

bool holds_only(const Rows& rows, const Tensor& x) { return rows_of(x) == static_cast<int64_t>(rows.size()); }

/// The rows to compute in a tensor that has others, or just those.
RowView view(const Tensor& x, const Rows* rows) {
  return {x.data<float>(), x.dim(-1), rows && !holds_only(*rows, x) ? rows->data() : nullptr};
}

/// Zeros in all rows that are not in the (ascending) list.
void clear_other_rows(const Rows& rows, int64_t all, int64_t n, float* x) {
  int64_t begin = 0;
  const auto clear_to = [&](int64_t end) { std::memset(x + begin * n, 0, bytes_of((end - begin) * n)); };
  for (const int64_t row : rows) {
    clear_to(row);
    begin = row + 1;
  }
  clear_to(all);
}

}  // namespace

void linear(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Rows* rows,
            const Scratch& scratch, const Tensor& out) {
  const int64_t k = x.dim(-1);
  const int64_t n = out.dim(-1);
  const int64_t all = n == 0 ? 0 : out.elements() / n;
  const int64_t count = rows ? static_cast<int64_t>(rows->size()) : all;
  const float* b = bias.defined() ? bias.data<float>() : nullptr;
  const RowView from = view(x, rows);
  const RowView to = view(out, rows);
  if (n == 1) {
    column_product(count, from, k, w.data<float>(), b, to);
    if (to.list) clear_other_rows(*rows, all, n, to.data);
    return;
  }
  // Arranging the weights costs as much as a product with some 25 rows.
  if (rows || count >= kRowsWorthPacking) {
    const PackedMatrix packed(w.data<float>(), k, n, transpose_w, count, scratch);
    packed.multiply(count, from, to, b);
    if (to.list) clear_other_rows(*rows, all, n, to.data);
    return;
  }
  for (int64_t row = 0; b && row < count; ++row) std::memcpy(to.row(row), b, bytes_of(n));
  gemm(false, transpose_w, count, n, k, 1.0f, from.data, k, w.data<float>(), transpose_w ? k : n, b ? 1.0f : 0.0f,
       to.data, n);
}

void linear_relu(const Tensor& x, const Tensor& w, const Tensor& bias, bool transpose_w, const Rows* rows,
                 const Scratch& scratch, const Tensor& out) {
  linear(x, w, bias, transpose_w, rows, scratch, out);
  unary(Unary::kRelu, out, out);
}

void linear_weight_grad(const Tensor& a, const Tensor& b, const Rows* rows, const Scratch& scratch, const Tensor& out,
                        const Tensor& sum_b) {
  const int64_t k = a.dim(-1);
  const int64_t n = b.dim(-1);
  const int64_t count = rows ? static_cast<int64_t>(rows->size()) : rows_of(a);
  if (n == 1) {
    column_weight_grad(count, view(a, rows), k, view(b, rows), out.data<float>());
    if (sum_b.defined()) column_sum(b, rows, sum_b);
    return;
  }
  if (!rows && count < kRowsWorthPacking) {
    gemm(true, false, k, n, count, 1.0f, a.data<float>(), k, b.data<float>(), n, 0.0f, out.data<float>(), n);
    if (sum_b.defined()) column_sum(b, rows, sum_b);
    return;
  }
  transposed_product(count, view(a, rows), k, view(b, rows), n, false, out.data<float>(),
                     sum_b.defined() ? sum_b.data<float>() : nullptr, scratch);
}

void column_sum(const Tensor& x, const Rows* rows, const Tensor& out) {
  // Partial sums over blocks of rows keep the rounding error small; column tiles stay in the L1 cache.
  constexpr int64_t kRows = 64;
  constexpr int64_t kColumns = 512;
  const int64_t n = out.elements();
  const int64_t count = rows ? static_cast<int64_t>(rows->size()) : rows_of(x);
  const RowView from = view(x, rows);
  float* to = out.data<float>();
  std::fill(to, to + n, 0.0f);
  float partial[kColumns];
  for (int64_t row = 0; row < count; row += kRows) {
    const int64_t end = std::min(row + kRows, count);
    for (int64_t column = 0; column < n; column += kColumns) {
      const int64_t width = std::min(kColumns, n - column);
      std::fill(partial, partial + width, 0.0f);
      for (int64_t r = row; r < end; ++r) {
        add_row(from.row(r) + column, width, partial);
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
