#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/tensor.h"

namespace wende::cpu {

/// Rows of a matrix to compute, ascending. Others are not read, and zero in results; a tensor that has only as many
/// rows as the list holds just those.
struct Rows : std::vector<int64_t> {
  using std::vector<int64_t>::vector;
  Rows(std::vector<int64_t> rows) : std::vector<int64_t>(std::move(rows)) {}  // NOLINT: a list is one

  /// Where a program on a GPU keeps them from run to run, or undefined. Kernels go by `list` alone: its size changes
  /// less often than that of the vector, so that recorded launches fit more runs.
  Tensor list;    ///< int64 [L]: the rows, then -1
  Tensor places;  ///< int64, by row: its place in the list, or -1
};

}  // namespace wende::cpu
