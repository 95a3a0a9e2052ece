#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Offers one node for each product that a relu follows directly: GPU libraries do both in one kernel.
void offer_linear_relu(Graph& graph);

}  // namespace wende::ops
