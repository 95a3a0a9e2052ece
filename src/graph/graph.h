#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "dims/dim.h"
#include "tensor/tensor.h"

namespace wende {

class Graph;
class Op;
using NodeId = int32_t;

/// Type and symbolic shape of one node output.
struct ExprType {
  DType dtype = DType::kFloat32;
  std::vector<Dim> dims;
  std::string str() const;  ///< "float32 [B,T|'time:data'[B],F|(500)]"
};

/// A handle to one output of one node. Cheap to copy. Default: undefined.
struct Expr {
  Graph* graph = nullptr;
  NodeId node = -1;
  int output = 0;

  bool defined() const { return graph != nullptr; }
  const ExprType& type() const;
  DType dtype() const { return type().dtype; }
  const std::vector<Dim>& dims() const { return type().dims; }
  const Dim& dim(int axis) const { return dims()[static_cast<size_t>(axis < 0 ? axis + rank() : axis)]; }
  int rank() const { return static_cast<int>(dims().size()); }
  bool operator==(const Expr&) const = default;
};

struct Node {
  std::shared_ptr<const Op> op;
  std::vector<Expr> inputs;
  std::vector<ExprType> outputs;
  int scope = 0;  ///< index into Graph::scopes(): the layer that made this node
};

/// A node that computes what several others compute together, without keeping what lies between them. A Program takes
/// it in their place where all of them would run and nobody reads what it does not give.
struct Fusion {
  NodeId node;
  std::vector<NodeId> replaces;
  std::vector<std::pair<Expr, int>> gives;  ///< values of replaced nodes, and which output of `node` they are
};

/// A vector of nodes in topological order: a node's inputs come before it. Only grows.
/// The body of a loop is a graph of its own with an `outer` graph: see graph/loop.h.
class Graph {
 public:
  explicit Graph(Graph* outer = nullptr);
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Appends a node (or returns an equal existing one for pure ops) after op->infer; errors get the current layer as
  /// frame. Returns output 0; further outputs through output_of(). In a body, what depends on captured values only is
  /// computed once, outside: such a node goes to the outer graph, and its value is captured.
  Expr add(std::shared_ptr<const Op> op, std::vector<Expr> inputs);
  Expr output_of(Expr expr, int output) const { return {expr.graph, expr.node, output}; }

  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  NodeId size() const { return static_cast<NodeId>(nodes_.size()); }

  /// The layer on whose behalf nodes are added now; "" outside. Nested scopes are set and restored by ScopeGuard.
  const std::string& scope_name(int scope) const { return scopes_[static_cast<size_t>(scope)]; }
  int enter_scope(const std::string& name);  ///< returns the previous scope, for leave_scope
  void leave_scope(int previous) { scope_ = previous; }

  std::string str() const;  ///< one line per node

  /// What programs may run in place of several nodes. The fused node depends on nothing that it gives.
  void offer(Fusion fusion) { fusions_.push_back({std::move(fusion)}); }
  /// All of them or none: what one gives, and what lies hidden in it, may be read by nodes that another replaces.
  void offer_together(std::vector<Fusion> fusions) { fusions_.push_back(std::move(fusions)); }
  const std::vector<std::vector<Fusion>>& fusions() const { return fusions_; }

  uint64_t id() const { return id_; }      ///< unique in the process
  Graph* outer() const { return outer_; }  ///< nullptr: not the body of a loop
  /// Bodies: the leaf that stands for a value of an enclosing graph, the same in all steps. Own values come back as is.
  Expr capture(Expr value);
  /// The outer graph's value of a captured leaf; undefined for all other expressions.
  Expr captured(Expr leaf) const;
  /// The same nodes, with the same ids, as a body in `outer`; the captures' values are `values`, by leaf.
  std::unique_ptr<Graph> clone(Graph& outer, std::map<NodeId, Expr> values) const;

 private:
  Expr append(std::shared_ptr<const Op> op, std::vector<Expr> inputs, std::vector<ExprType> outputs, size_t hash);
  bool invariant(const Op& op, const std::vector<Expr>& inputs, const std::vector<ExprType>& outputs) const;
  Expr add_outside(std::shared_ptr<const Op> op, const std::vector<Expr>& inputs);

  uint64_t id_;
  Graph* outer_;
  std::map<NodeId, Expr> captured_;                   ///< leaf -> value of the outer graph
  std::map<std::pair<NodeId, int>, NodeId> leaf_of_;  ///< value of the outer graph -> leaf
  std::vector<Node> nodes_;
  std::vector<std::string> scopes_;
  int scope_ = 0;
  std::multimap<size_t, NodeId> by_hash_;
  std::vector<std::vector<Fusion>> fusions_;
};

class ScopeGuard {
 public:
  ScopeGuard(Graph& graph, const std::string& layer) : graph_(graph), previous_(graph.enter_scope(layer)) {}
  ~ScopeGuard() { graph_.leave_scope(previous_); }
  ScopeGuard(const ScopeGuard&) = delete;
  ScopeGuard& operator=(const ScopeGuard&) = delete;

 private:
  Graph& graph_;
  int previous_;
};

}  // namespace wende
