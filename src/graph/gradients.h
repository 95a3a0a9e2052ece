#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende {

/// d(sum of loss)/d(wrt) as graph: appends the backward nodes to loss.graph (reverse mode through Op::vjp).
/// loss: float scalar. Undefined entries: loss does not depend on that expression.
/// Hooks of synthetic gradients and stop_gradient are ops, not cases here.
std::vector<Expr> gradients(Expr loss, const std::vector<Expr>& wrt);

}  // namespace wende
