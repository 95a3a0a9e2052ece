#pragma once

#include <cstdint>

#include "graph/graph.h"

namespace wende::ops {

/// Rows of the table of edit distances between sequences a, known label by label, and b [B,U]: entry u is the distance
/// of a so far to the first u labels of b.
struct EditDistanceRow {
  Expr last;     ///< int32 [B,U+1]: the row before this label; at first 0, 1, 2, ...
  Expr count;    ///< int32 [B]: how many labels a had before
  Expr ended;    ///< bool [B]: a is over, the row stays
  Expr b;        ///< int32 [B,U]
  Expr lengths;  ///< int32 [B]: of b; behind them the last distance is repeated
};

/// The next row, int32 like `last`, after the labels a, int32 [B].
Expr next_edit_distance_row(const EditDistanceRow& row, Expr a);
/// For each label that a might go on with, the smallest entry of the row that it would give: int32 [B,labels]. `blank`
/// (negative: none) leaves the row as it is.
Expr optimal_completions(const EditDistanceRow& row, const Dim& labels, int64_t blank);

}  // namespace wende::ops
