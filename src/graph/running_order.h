#pragma once

#include <map>
#include <vector>

#include "graph/executor.h"
#include "graph/graph.h"

namespace wende {

/// The nodes that some fetches need, each after its inputs, with fusions in place of what they replace.
struct RunningOrder {
  std::vector<NodeId> nodes;
  std::map<NodeId, const Fusion*> fused;  ///< by the fused node
};

RunningOrder running_order(const Graph& graph, const std::vector<Fetch>& fetches);

}  // namespace wende
