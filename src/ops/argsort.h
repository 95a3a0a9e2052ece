#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Order of the last axis of float x [...,n]: int32 indices of its elements, largest first; of equals the first first.
/// Output 1 (through Graph::output_of): the elements in this order, without gradient.
Expr argsort_descending(Expr x);

}  // namespace wende::ops
