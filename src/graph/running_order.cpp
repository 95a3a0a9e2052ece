#include "graph/running_order.h"

#include <algorithm>
#include <set>

#include "graph/size_op.h"

namespace wende {

namespace {

using Output = std::pair<NodeId, int>;

Output output_of(const Expr& expr) { return {expr.node, expr.output}; }

class Ordering {
 public:
  Ordering(const Graph& graph, const std::vector<Fetch>& fetches)
      : graph_(&graph),
        fetches_(&fetches),
        sizes_(size_ops(graph)),
        state_(static_cast<size_t>(graph.size()), State::kUnneeded) {
    mark_needed();
  }

  void take_fusions() {
    for (const std::vector<Fusion>& together : graph_->fusions()) {
      if (!fit(together)) continue;
      for (const Fusion& fusion : together) {
        order_.fused[fusion.node] = &fusion;
        for (const NodeId id : fusion.replaces) replaced_by_[id] = fusion.node;
      }
    }
  }

  /// False if two fusions wait for each other.
  bool run() {
    for (NodeId id = 0; id < static_cast<NodeId>(needed_.size()); ++id) {
      if (needed_[static_cast<size_t>(id)] != 0 && !place(standing_for(id))) return false;
    }
    return true;
  }

  void put_lengths_first() {
    std::stable_partition(order_.nodes.begin(), order_.nodes.end(), [this](NodeId id) {
      const Node& node = graph_->node(id);
      return node.op->traits().of_lengths && sizes_read(node, sizes_).empty();
    });
  }

  RunningOrder result() { return std::move(order_); }

 private:
  enum class State : char { kUnneeded, kWaiting, kPlaced };

  void mark_needed() {
    NodeId last = -1;
    for (const Fetch& fetch : *fetches_) last = std::max(last, fetch.expr.node);
    needed_.assign(static_cast<size_t>(last + 1), 0);
    for (const Fetch& fetch : *fetches_) needed_[static_cast<size_t>(fetch.expr.node)] = 1;
    for (NodeId id = last; id >= 0; --id) {
      if (needed_[static_cast<size_t>(id)] == 0) continue;
      for (const Expr& input : graph_->node(id).inputs) needed_[static_cast<size_t>(input.node)] = 1;
      for (const NodeId size : sizes_read(graph_->node(id), sizes_)) needed_[static_cast<size_t>(size)] = 1;
    }
  }

  bool needed(NodeId id) const { return id < static_cast<NodeId>(needed_.size()) && needed_[static_cast<size_t>(id)]; }

  bool fit(const std::vector<Fusion>& together) const {
    std::set<NodeId> replaced;
    std::set<Output> given;
    for (const Fusion& fusion : together) {
      replaced.insert(fusion.replaces.begin(), fusion.replaces.end());
      for (const auto& [value, output] : fusion.gives) given.insert(output_of(value));
    }
    const auto hidden = [&](const Expr& expr) {
      return replaced.count(expr.node) != 0 && given.count(output_of(expr)) == 0;
    };
    const auto runs_alone = [&](NodeId id) { return needed(id) && replaced_by_.count(id) == 0; };
    if (!std::all_of(replaced.begin(), replaced.end(), runs_alone)) return false;
    if (std::any_of(fetches_->begin(), fetches_->end(), [&](const Fetch& fetch) { return hidden(fetch.expr); })) {
      return false;
    }
    for (NodeId id = *replaced.begin(); id < static_cast<NodeId>(needed_.size()); ++id) {
      if (!needed(id) || replaced.count(id) != 0) continue;
      const std::vector<Expr>& inputs = graph_->node(id).inputs;
      if (std::any_of(inputs.begin(), inputs.end(), hidden)) return false;
    }
    return true;
  }

  NodeId standing_for(NodeId id) const {
    const auto it = replaced_by_.find(id);
    return it == replaced_by_.end() ? id : it->second;
  }

  bool place(NodeId id) {
    State& state = state_[static_cast<size_t>(id)];
    if (state != State::kUnneeded) return state == State::kPlaced;
    state = State::kWaiting;
    for (const Expr& input : graph_->node(id).inputs) {
      if (!place(standing_for(input.node))) return false;
    }
    for (const NodeId size : sizes_read(graph_->node(id), sizes_)) {
      if (!place(standing_for(size))) return false;
    }
    state = State::kPlaced;
    order_.nodes.push_back(id);
    return true;
  }

  const Graph* graph_;
  const std::vector<Fetch>* fetches_;
  std::map<uint64_t, NodeId> sizes_;  ///< nodes that find out the size of an axis
  std::vector<char> needed_;
  std::vector<State> state_;
  std::map<NodeId, NodeId> replaced_by_;
  RunningOrder order_;
};

}  // namespace

RunningOrder running_order(const Graph& graph, const std::vector<Fetch>& fetches, bool lengths_first) {
  Ordering order(graph, fetches);
  order.take_fusions();
  if (!order.run()) {
    order = Ordering(graph, fetches);
    order.run();
  }
  if (lengths_first) order.put_lengths_first();
  return order.result();
}

}  // namespace wende
