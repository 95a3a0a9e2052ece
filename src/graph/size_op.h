#pragma once

#include <map>
#include <vector>

#include "graph/op.h"

namespace wende {

/// An op that finds out, while a program runs, how long the sequences of an axis are. Output 0: the lengths, int32 [B],
/// or int32 scalar for an axis that is equally long in all of them. Nodes with this axis run after it: see Stage.
class SizeOp : public Op {
 public:
  virtual const Dim& sized() const = 0;
};

/// The SizeOps of a graph by the id of their axis.
std::map<uint64_t, NodeId> size_ops(const Graph& graph);
/// Those that this node depends on through its axes and attributes.
std::vector<NodeId> sizes_read(const Node& node, const std::map<uint64_t, NodeId>& ops);

}  // namespace wende
