#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende {

/// d(sum of loss)/d(wrt) as graph: appends the backward nodes to loss.graph (reverse mode through Op::vjp).
/// loss: float scalar. Undefined entries: loss does not depend on that expression.
/// Hooks of synthetic gradients and stop_gradient are ops, not cases here.
std::vector<Expr> gradients(Expr loss, const std::vector<Expr>& wrt);

/// An expression and the gradient that arrives there from outside.
struct GradientSeed {
  Expr expr;
  Expr gradient;
};

/// The same from gradients that are given: sum over seeds of gradient * d(expr)/d(wrt).
std::vector<Expr> gradients(const std::vector<GradientSeed>& seeds, const std::vector<Expr>& wrt);

}  // namespace wende
