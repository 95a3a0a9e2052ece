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

/// lengths_first: what brings lengths (OpTraits::of_lengths) runs before all else, so that nothing after it needs the
/// host.
RunningOrder running_order(const Graph& graph, const std::vector<Fetch>& fetches, bool lengths_first = false);

}  // namespace wende
