#pragma once

#include <cstdint>

namespace wende::cpu {

/// Rows of a matrix in memory: row i starts at data + (list ? list[i] : i) * stride. With a list, products read and
/// write rows where they are, without gathering them first.
struct RowView {
  float* data;
  int64_t stride;
  const int64_t* list = nullptr;
  float* row(int64_t i) const { return data + (list ? list[i] : i) * stride; }
  /// Without the first i rows.
  RowView from(int64_t i) const { return list ? RowView{data, stride, list + i} : RowView{data + i * stride, stride}; }
};

}  // namespace wende::cpu
