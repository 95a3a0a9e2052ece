#pragma once

#include <vector>

#include "graph/graph.h"
#include "kernels/reduce.h"

namespace wende::ops {

using wende::Reduction;

/// Reduces over `axes` (unmasked: layers put neutral values into padding, or use masked_mean's recipe with counts).
/// keep: reduced axes stay with static size 1. Float, and kSum/kMax/kMin also on int32; kAny/kAll on bool.
/// Sums go by fixed pairwise trees: the same bits on every run.
Expr reduce(Reduction kind, Expr x, const std::vector<int>& axes, bool keep = false);
std::vector<int> all_axes(Expr x);
/// The sum over all axes; x itself where it has none.
Expr sum_all(Expr x);
/// Index of the (first) largest or smallest element along one axis: int32 without that axis.
Expr argmax(Expr x, int axis);
Expr argmin(Expr x, int axis);

}  // namespace wende::ops
