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

/// A vector of nodes in topological order: a node's inputs come before it. Only grows.
class Graph {
 public:
  Graph();
  Graph(const Graph&) = delete;
  Graph& operator=(const Graph&) = delete;

  /// Appends a node (or returns an equal existing one for pure ops) after op->infer; errors get the current layer as
  /// frame. Returns output 0; further outputs through output_of().
  Expr add(std::shared_ptr<const Op> op, std::vector<Expr> inputs);
  Expr output_of(Expr expr, int output) const { return {expr.graph, expr.node, output}; }

  const Node& node(NodeId id) const { return nodes_[static_cast<size_t>(id)]; }
  NodeId size() const { return static_cast<NodeId>(nodes_.size()); }

  /// The layer on whose behalf nodes are added now; "" outside. Nested scopes are set and restored by ScopeGuard.
  const std::string& scope_name(int scope) const { return scopes_[static_cast<size_t>(scope)]; }
  int enter_scope(const std::string& name);  ///< returns the previous scope, for leave_scope
  void leave_scope(int previous) { scope_ = previous; }

  std::string str() const;  ///< one line per node

 private:
  std::vector<Node> nodes_;
  std::vector<std::string> scopes_;
  int scope_ = 0;
  std::multimap<size_t, NodeId> by_hash_;
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
