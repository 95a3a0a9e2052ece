#pragma once

#include <functional>
#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// What TensorFlow's while_loop does: as long as the scalar bool `condition(state)` holds, state = body(state). Types
/// of the state stay as they are in `start`. Both functions are called once, to be traced; the loop's own random
/// numbers are new in each iteration. Without gradient.
std::vector<Expr> while_loop(Graph& graph, const std::vector<Expr>& start,
                             const std::function<Expr(const std::vector<Expr>&)>& condition,
                             const std::function<std::vector<Expr>(const std::vector<Expr>&)>& body);

}  // namespace wende::ops
