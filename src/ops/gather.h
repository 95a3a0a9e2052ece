#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// Rows of table [V, ...] by int32 indices [...]: dims of indices followed by table's inner dims. Indices outside
/// [0,V) throw Error kMalformedInput with the value. Gradient: deterministic scatter-add.
Expr gather(Expr table, Expr indices);
/// The same; RETURNN has an embedding look-up there, whose gradient it keeps as rows: rows_of_gradient().
Expr look_up(Expr table, Expr indices);
/// A gradient of a table [V,inner...] before the rows of the same index are added up.
struct TableRows {
  Expr indices;
  Expr values;  ///< [indices...,inner...]
};
/// What a table's gradient is the sum of, if that is look-ups alone (TensorFlow then has IndexedSlices); else empty.
std::vector<TableRows> rows_of_gradient(Expr gradient);
/// values [indices...,inner...] added up in the rows that indices name: [rows,inner...]; the transposition of gather.
Expr scatter_add(Expr values, Expr indices, const Dim& rows);
/// One-hot float32: dims of indices + [depth].
Expr one_hot(Expr indices, const Dim& depth);
/// x[..., indices[...]]: picks one element of the last axis per position; dims of indices.
Expr pick_last(Expr x, Expr indices);

}  // namespace wende::ops
