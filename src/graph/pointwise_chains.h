#pragma once

#include <memory>
#include <vector>

#include "graph/op.h"
#include "graph/program.h"
#include "kernels/pointwise_chain.h"

namespace wende {

/// Several element-wise nodes that run as one step: the last one's, with the inputs of all.
struct ChainedNodes {
  PointwiseChain chain;
  std::vector<NodeId> nodes;  ///< in the order of the chain's steps
};

/// Joins element-wise steps whose values only each other read into one that keeps nothing between them. Padding and
/// fetches must be known; positions in the program change, and `last_use` with them.
///
/// A value that is computed at its reader instead keeps its inputs alive until then, so that a node is joined only
/// where at most one of them would have gone before, or where the reader is near.
void join_pointwise_chains(const Graph& graph, Program& program);

/// With RunOptions::check_numerics also the values within, each for itself: throws kNonFinite with the names of the
/// first that is not finite.
void run_chain(const Graph& graph, const ChainedNodes& chained, RunContext& context);

}  // namespace wende
