#include "graph/gradients.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/error.h"
#include "graph/accumulate.h"
#include "graph/op.h"

namespace wende {

namespace {

using Output = std::pair<NodeId, int>;

/// Which nodes depend on one of `wrt`; they are the only ones that backward visits.
std::vector<char> dependents(const Graph& graph, const std::vector<Expr>& wrt, NodeId last) {
  std::vector<char> depends(static_cast<size_t>(last) + 1, 0);
  for (const Expr& expr : wrt) {
    if (expr.defined() && expr.node <= last) {
      depends[static_cast<size_t>(expr.node)] = 1;
    }
  }
  for (NodeId id = 0; id <= last; ++id) {
    for (const Expr& input : graph.node(id).inputs) {
      if (depends[static_cast<size_t>(input.node)] != 0) {
        depends[static_cast<size_t>(id)] = 1;
      }
    }
  }
  return depends;
}

/// Calls the vjp of one node and files what it returns under the node's inputs.
void backward(Graph& graph, NodeId id, const std::vector<char>& depends, std::map<Output, std::vector<Expr>>& grads) {
  const Node node = graph.node(id);
  VjpContext context{graph, node, id, {}, {}};
  bool any = false;
  for (size_t i = 0; i < node.outputs.size(); ++i) {
    const auto it = grads.find({id, static_cast<int>(i)});
    context.output_grads.push_back(it == grads.end() ? Expr{} : accumulate(it->second));
    any = any || it != grads.end();
  }
  if (!any || node.inputs.empty()) {
    return;
  }
  bool wanted = false;
  for (const Expr& input : node.inputs) {
    const bool float_input = input.dtype() == DType::kFloat32;
    context.needed.push_back(float_input && depends[static_cast<size_t>(input.node)] != 0);
    wanted = wanted || context.needed.back();
  }
  if (!wanted) {
    return;
  }
  ScopeGuard scope(graph, graph.scope_name(node.scope));
  const std::vector<Expr> input_grads = node.op->vjp(context);
  for (size_t i = 0; i < input_grads.size(); ++i) {
    if (!input_grads[i].defined() || !context.needed[i]) {
      continue;
    }
    const Expr& input = node.inputs[i];
    if (input_grads[i].rank() != input.rank()) {
      throw internal_error(fmt::format("[{}] vjp of input {}: {} for {}", node.op->name(), i,
                                       input_grads[i].type().str(), input.type().str()));
    }
    grads[{input.node, input.output}].push_back(input_grads[i]);
  }
}

}  // namespace

std::vector<Expr> gradients(Expr loss, const std::vector<Expr>& wrt) {
  if (loss.rank() != 0 || loss.dtype() != DType::kFloat32) {
    throw internal_error("gradients of a non-scalar: " + loss.type().str());
  }
  const std::vector<char> depends = dependents(*loss.graph, wrt, loss.node);
  if (depends[static_cast<size_t>(loss.node)] == 0) {
    return std::vector<Expr>(wrt.size());
  }
  return gradients({{loss, gradient_seed(*loss.graph)}}, wrt);
}

std::vector<Expr> gradients(const std::vector<GradientSeed>& seeds, const std::vector<Expr>& wrt) {
  Graph& graph = *seeds.at(0).expr.graph;
  NodeId last = 0;
  for (const GradientSeed& seed : seeds) {
    last = std::max(last, seed.expr.node);
  }
  const std::vector<char> depends = dependents(graph, wrt, last);
  std::map<Output, std::vector<Expr>> grads;
  for (const GradientSeed& seed : seeds) {
    if (depends[static_cast<size_t>(seed.expr.node)] != 0) {
      grads[{seed.expr.node, seed.expr.output}].push_back(seed.gradient);
    }
  }
  for (NodeId id = last; id >= 0; --id) {
    if (depends[static_cast<size_t>(id)] != 0) {
      backward(graph, id, depends, grads);
    }
  }
  std::vector<Expr> result;
  for (const Expr& expr : wrt) {
    const auto it = grads.find({expr.node, expr.output});
    result.push_back(it == grads.end() ? Expr{} : accumulate(it->second));
  }
  return result;
}

}  // namespace wende
