#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Finds softmax layers whose logits only a sparse cross entropy, its gradients and an argmax read, and offers one node
/// for all of them (kernels/linear_cross_entropy.h). To be called when all gradients are in the graph.
void offer_linear_cross_entropy(Graph& graph);

}  // namespace wende::ops
