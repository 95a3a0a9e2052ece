#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Rows of table [V, ...] by int32 indices [...]: dims of indices followed by table's inner dims. Indices outside
/// [0,V) throw Error kMalformedInput with the value. Gradient: deterministic scatter-add.
Expr gather(Expr table, Expr indices);
/// values [indices...,inner...] added up in the rows that indices name: [rows,inner...]; the transposition of gather.
Expr scatter_add(Expr values, Expr indices, const Dim& rows);
/// One-hot float32: dims of indices + [depth].
Expr one_hot(Expr indices, const Dim& depth);
/// x[..., indices[...]]: picks one element of the last axis per position; dims of indices.
Expr pick_last(Expr x, Expr indices);

}  // namespace wende::ops
