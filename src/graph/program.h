#pragma once

#include <cstdint>
#include <memory>
#include <utility>
#include <vector>

#include "graph/executor.h"
#include "graph/graph.h"

namespace wende {

/// Where the bytes of one node output live.
struct ValuePlace {
  enum class Kind { kArena, kLeaf, kAlias, kFetch };
  Kind kind = Kind::kArena;
  int alias_of = -1;      ///< kAlias: value index whose bytes these are
  int fetch = -1;         ///< kFetch: written straight into fetches[fetch].into
  int last_use = -1;      ///< position of the last reader (aliases count for their root)
  bool wanted = false;    ///< somebody reads it
  std::vector<int> dims;  ///< indices into Program::dims
  int packed = -1;  ///< stored without padding, [frames,F]: index into Program::packed_axes; -1: with the axes of dims
};

struct ChainedNodes;

/// The nodes that some fetches need, in running order, with everything about them that does not depend on sizes.
struct Program {
  struct Step {
    NodeId node;
    std::vector<int> inputs;  ///< value indices
    std::vector<int> outputs;
    std::vector<int> copy_fetches;   ///< fetches to copy out after this step
    std::vector<int> ready_fetches;  ///< fetches that are complete after this step
    int frames_of = -1;       ///< value whose first two axes say which padding to leave out; -1: compute all rows
    int in_place_input = -1;  ///< value whose memory one output takes over
    int in_place_output = -1;
    std::shared_ptr<const ChainedNodes> chain;  ///< runs instead of the node alone
  };
  std::vector<Step> steps;
  std::vector<ValuePlace> values;
  std::vector<DType> dtypes;      ///< by value
  std::vector<Dim> dims;          ///< the distinct dims of all values
  std::vector<int> fetch_values;  ///< value of each fetch
  /// The two leading dims of packed values: [T,B] or [B,T].
  std::vector<std::pair<int, int>> packed_axes;

  /// The value whose bytes these are: itself, unless it is an alias.
  int root(int value) const;

  /// On the CPU values whose padding nobody reads are stored without it, where producer and readers can do that; on a
  /// device what brings lengths to it runs first.
  static Program compile(const Graph& graph, const std::vector<Fetch>& fetches, Device device);
};

}  // namespace wende
