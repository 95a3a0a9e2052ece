#pragma once

#include <vector>

#include "collective/shards.h"

namespace wende {

/// What the updater needs to know of a gradient that RETURNN keeps as rows, one per frame (engine/row_gradients.h),
/// over all ranks.
struct RowSums {
  double squares = 0;         ///< of all rows, before those of a label are added up; counts in norms
  std::vector<double> marks;  ///< by label: how many rows; empty if the optimiser does not ask
};

/// Runs of rows that have a mark (or, touched = false, have none), of `inner` weights each, as far as they lie in
/// `part`; in weights from the part's begin.
std::vector<ShardRange> row_ranges(const std::vector<double>& marks, size_t inner, ShardRange part, bool touched);

}  // namespace wende
