#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "kernels/row_view.h"

namespace wende::cpu {

/// to [depth,kColumns]: `width` columns of `depth` rows, then zeros.
template <int64_t kColumns>
void arrange_columns(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width, float* to) {
  if (width == kColumns) {
    for (int64_t p = 0; p < depth; ++p) {
      std::memcpy(to + p * kColumns, b.row(first + p) + column, kColumns * sizeof(float));
    }
    return;
  }
  for (int64_t p = 0; p < depth; ++p) {
    const float* from = b.row(first + p) + column;
    for (int64_t j = 0; j < kColumns; ++j) to[p * kColumns + j] = j < width ? from[j] : 0.0f;
  }
}

/// The same for columns that lie in memory as rows.
template <int64_t kColumns>
void arrange_columns_transposed(const RowView& b, int64_t first, int64_t depth, int64_t column, int64_t width,
                                float* to) {
  constexpr int64_t kStrip = 16;  // one cache line of each row of b at a time
  std::memset(to, 0, static_cast<size_t>(width == kColumns ? 0 : depth * kColumns) * sizeof(float));
  for (int64_t begin = 0; begin < depth; begin += kStrip) {
    const int64_t end = std::min(begin + kStrip, depth);
    for (int64_t j = 0; j < width; ++j) {
      const float* from = b.row(column + j) + first;
      for (int64_t p = begin; p < end; ++p) to[p * kColumns + j] = from[p];
    }
  }
}

}  // namespace wende::cpu
