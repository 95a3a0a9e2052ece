#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende::ops {

Expr permute(Expr x, const std::vector<int>& axes);
/// Same elements in C order under other dims (merge, split, rename); sizes must agree in each step (checked when run).
Expr reshape(Expr x, std::vector<Dim> dims);
Expr expand_dims(Expr x, int axis);  ///< inserts a static axis of size 1 before `axis`
Expr squeeze(Expr x, int axis);
/// Repeats along axes of static size 1 until the dims are reached; same rank.
Expr broadcast_to(Expr x, std::vector<Dim> dims);
/// Sums x over the axes where `dims` has static size 1 (or all, for rank 0): the vjp of broadcasting.
Expr sum_to(Expr x, const std::vector<Dim>& dims);
/// x[begin:end:step] on one axis; negative begin/end count from the padded end; `out` is the resulting Dim.
Expr slice(Expr x, int axis, int64_t begin, int64_t end, int64_t step, const Dim& out);
Expr concat(const std::vector<Expr>& xs, int axis, const Dim& out);
/// Constant padding on one axis (right padding goes after the padded end).
Expr pad(Expr x, int axis, int64_t left, int64_t right, double value, const Dim& out);
/// Sliding windows along `axis`, zero padded ("same"): inserts `window` after it.
/// out[.., t, w, ..] = x[.., t + w - left, ..] or 0 outside [0, size).
Expr window(Expr x, int axis, const Dim& window, int64_t left);

}  // namespace wende::ops
