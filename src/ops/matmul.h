#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// x [..., K] times w [K,N] (or [N,K] with transpose_w) plus bias [N] (may be undefined): [..., N].
Expr linear(Expr x, Expr w, Expr bias = {}, bool transpose_w = false);
/// Batched product over the last two axes: a [..., M,K] x b [..., K,N]; the leading dims are equal.
Expr batch_matmul(Expr a, Expr b, bool transpose_a = false, bool transpose_b = false);

}  // namespace wende::ops
