#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende {

/// Sum of one or more float expressions of equal type, in the given order.
Expr accumulate(const std::vector<Expr>& parts);

/// Float scalar 1: the gradient of a loss with respect to itself.
Expr gradient_seed(Graph& graph);

}  // namespace wende
