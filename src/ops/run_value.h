#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// The padded size that a dim has in this step: int32 scalar.
Expr dim_size(Graph& graph, const Dim& dim);
/// The number of the step: int32 scalar.
Expr step_number(Graph& graph);

}  // namespace wende::ops
