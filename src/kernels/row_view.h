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
};

}  // namespace wende::cpu
