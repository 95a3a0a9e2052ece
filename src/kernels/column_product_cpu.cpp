#include <algorithm>
#include <array>

#include "kernels/column_product.h"
#include "kernels/float_vector.h"

namespace wende::cpu {

namespace {

constexpr int64_t kRows = 4;     ///< of x at once: they share the loads of the column
constexpr int64_t kWidth = 4;    ///< vectors of a at once
constexpr int64_t kBlock = 512;  ///< rows that are summed before they are added to the others: smaller errors

float sum_of(const Vector& vector) {
  float sum = 0;
  for (int64_t i = 0; i < kVector; ++i) sum += vector[i];
  return sum;
}

template <int64_t kCount>
void dot(const std::array<const float*, kRows>& x, int64_t k, const float* column, float* out) {
  Vector sum[kCount] = {};
  int64_t p = 0;
  for (; p + kVector <= k; p += kVector) {
    const Vector w = load(column + p);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kCount; ++i) sum[i] += load(x[static_cast<size_t>(i)] + p) * w;
  }
  for (int64_t i = 0; i < kCount; ++i) {
    out[i] = sum_of(sum[i]);
    for (int64_t rest = p; rest < k; ++rest) out[i] += x[static_cast<size_t>(i)][rest] * column[rest];
  }
}

/// out[...] += sum over rows [begin, end) of kCount vectors of a from `column` on, times b.
template <int64_t kCount>
void add_rows(int64_t begin, int64_t end, const RowView& a, int64_t column, const RowView& b, float* out) {
  Vector sum[kCount] = {};
  for (int64_t row = begin; row < end; ++row) {
    const float* from = a.row(row) + column;
    const float factor = *b.row(row);
#pragma GCC unroll 4
    for (int64_t i = 0; i < kCount; ++i) sum[i] += load(from + i * kVector) * factor;
  }
  for (int64_t i = 0; i < kCount; ++i) {
    for (int64_t j = 0; j < kVector; ++j) out[column + i * kVector + j] += sum[i][j];
  }
}

}  // namespace

void column_product(int64_t rows, const RowView& x, int64_t k, const float* column, const float* bias,
                    const RowView& out) {
  for (int64_t row = 0; row < rows; row += kRows) {
    const int64_t count = std::min(kRows, rows - row);
    std::array<const float*, kRows> from{};
    std::array<float, kRows> sums{};
    for (int64_t i = 0; i < count; ++i) from[static_cast<size_t>(i)] = x.row(row + i);
    if (count == kRows) {
      dot<kRows>(from, k, column, sums.data());
    } else {
      for (int64_t i = 0; i < count; ++i)
        dot<1>({from[static_cast<size_t>(i)]}, k, column, &sums[static_cast<size_t>(i)]);
    }
    for (int64_t i = 0; i < count; ++i) *out.row(row + i) = sums[static_cast<size_t>(i)] + (bias ? *bias : 0.0f);
  }
}

void column_weight_grad(int64_t rows, const RowView& a, int64_t k, const RowView& b, float* out) {
  std::fill(out, out + k, 0.0f);
  for (int64_t begin = 0; begin < rows; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, rows);
    int64_t column = 0;
    for (; column + kWidth * kVector <= k; column += kWidth * kVector) add_rows<kWidth>(begin, end, a, column, b, out);
    for (; column + kVector <= k; column += kVector) add_rows<1>(begin, end, a, column, b, out);
    for (; column < k; ++column) {
      float sum = 0;
      for (int64_t row = begin; row < end; ++row) sum += a.row(row)[column] * *b.row(row);
      out[column] += sum;
    }
  }
}

}  // namespace wende::cpu
