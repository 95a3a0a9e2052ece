#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// From here on, the sequences of the root axis `dim` are as long as `lengths` says, int32 [B], which the graph
/// computes itself: what has this axis runs after this node. Returns the lengths.
Expr found_lengths(Expr lengths, const Dim& dim);
/// The same for an axis that is equally long in all sequences: `size` is an int32 scalar.
Expr found_size(Expr size, const Dim& dim);
/// The first frames of one axis, as many as `out` has. Gradient: zeros behind them.
Expr cut(Expr x, int axis, const Dim& out);

}  // namespace wende::ops
