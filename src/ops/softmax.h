#pragma once

#include "graph/graph.h"

namespace wende::ops {

Expr softmax(Expr x, int axis = -1);
Expr log_softmax(Expr x, int axis = -1);
/// -log softmax(logits)[label] per position: logits [..., V] float, labels [...] int32 -> [...] float.
/// Fused; gradient softmax - onehot. Labels outside [0,V) throw kMalformedInput when `valid` (bool [...]) is true
/// there; where valid is false the loss is 0 and no gradient flows. valid may be undefined.
Expr softmax_cross_entropy(Expr logits, Expr labels, Expr valid = {});
/// Dense targets [..., V]: -sum_v target * log softmax(logits) -> [...].
Expr softmax_cross_entropy_dense(Expr logits, Expr targets);

}  // namespace wende::ops
