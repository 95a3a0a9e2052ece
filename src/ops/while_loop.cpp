#include "ops/while_loop.h"

#include <fmt/core.h>

#include <map>
#include <set>

#include "base/error.h"
#include "graph/device_op.h"
#include "graph/host_call.h"
#include "graph/leaf_op.h"
#include "graph/sized_plan.h"
#include "ops/leaf.h"
#include "tensor/placement.h"

namespace wende::ops {
namespace {

/// Where a value inside the loop comes from.
struct Ref {
  enum class Kind { kState, kCapture, kNode };
  Kind kind = Kind::kNode;
  size_t index = 0;
  int output = 0;
};

struct InnerNode {
  std::shared_ptr<const Op> op;
  std::vector<Ref> inputs;
  std::vector<ExprType> outputs;
};

struct LoopBody {
  std::vector<InnerNode> nodes;  ///< in topological order
  std::vector<Ref> next;         ///< per state
  Ref condition;
  size_t states = 0;
  bool random = false;
};

/// One iteration: runs nodes one after another on memory of their own.
class Iteration : public RunContext {
 public:
  Iteration(const LoopBody& body, RunContext& outer, const std::vector<Tensor>& state, uint64_t number)
      : body_(body), outer_(outer), state_(state), number_(number), values_(body.nodes.size()) {}

  const Tensor& get(const Ref& ref) {
    if (ref.kind == Ref::Kind::kState) return state_[ref.index];
    if (ref.kind == Ref::Kind::kCapture) return outer_.input(static_cast<int>(body_.states + ref.index));
    if (values_[ref.index].empty()) compute(ref.index);
    return values_[ref.index][static_cast<size_t>(ref.output)];
  }

  const Tensor& input(int index) const override { return *inputs_[static_cast<size_t>(index)]; }
  const Tensor& output(int index) const override { return values_[current_][static_cast<size_t>(index)]; }
  bool output_wanted(int) const override { return true; }
  const Binding& binding() const override { return outer_.binding(); }
  Device device() const override { return outer_.device(); }
  Tensor scratch(DType dtype, Shape shape) override { return Tensor::empty(dtype, std::move(shape), device()); }
  uint64_t seed() const override { return outer_.seed() ^ (number_ * 0x9E3779B97F4A7C15u); }
  uint64_t step() const override { return outer_.step(); }
  const Tensor& bound(const std::string& name) const override { return outer_.bound(name); }
  std::shared_ptr<void>& kept() override { return kept_; }
  const RunOptions& options() const override { return outer_.options(); }

 private:
  void compute(size_t index) {
    const InnerNode& node = body_.nodes[index];
    std::vector<const Tensor*> inputs;
    for (const Ref& ref : node.inputs) {
      inputs.push_back(&get(ref));
    }
    std::vector<Tensor> outputs;
    for (const ExprType& type : node.outputs) {
      const Shape shape = binding().shape(type.dims);
      const bool alias = outputs.empty() && node.op->aliases_input() >= 0;
      outputs.push_back(alias ? inputs[static_cast<size_t>(node.op->aliases_input())]->reshaped(shape)
                              : Tensor::empty(type.dtype, shape, device()));
    }
    values_[index] = std::move(outputs);
    if (node.op->aliases_input() < 0) {
      inputs_ = std::move(inputs);
      current_ = index;
      run(node);
    }
  }

  void run(const InnerNode& node) {
    if (device().is_cpu() || dynamic_cast<const DeviceOp*>(node.op.get()) != nullptr) return node.op->run(*this);
    run_on_host(*node.op, *this, host_scratch_, node.inputs.size(), node.outputs.size());
  }

  const LoopBody& body_;
  RunContext& outer_;
  const std::vector<Tensor>& state_;
  uint64_t number_;
  std::vector<std::vector<Tensor>> values_;
  std::vector<const Tensor*> inputs_;
  size_t current_ = 0;
  std::shared_ptr<void> kept_;  ///< of one iteration only
  Scratch host_scratch_{Device::cpu()};
};

/// The device computes, the host reads the condition before each iteration.
class WhileLoopOp final : public DeviceOp {
 public:
  WhileLoopOp(LoopBody body, int64_t id) : body_(std::move(body)), id_(id) {}
  std::string_view name() const override { return "while_loop"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("id", id_); }
  OpTraits traits() const override { return {.pure = !body_.random}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    return {inputs.begin(), inputs.begin() + static_cast<std::ptrdiff_t>(body_.states)};
  }

  void run(RunContext& context) const override {
    std::vector<Tensor> state;
    for (size_t i = 0; i < body_.states; ++i) {
      state.push_back(context.input(static_cast<int>(i)));
    }
    for (uint64_t number = 1;; ++number) {
      Iteration iteration(body_, context, state, number);
      if (!on_host(iteration.get(body_.condition)).data<bool>()[0]) break;
      std::vector<Tensor> next;
      for (const Ref& ref : body_.next) {
        next.push_back(iteration.get(ref));
      }
      state = std::move(next);
    }
    for (size_t i = 0; i < body_.states; ++i) {
      context.output(static_cast<int>(i)).copy_from(state[i]);
    }
  }

 private:
  LoopBody body_;
  int64_t id_;
};

/// Cuts the traced part out of the graph: what depends on the state, and what is random, belongs to the loop; all else
/// is computed once, outside.
class Extraction {
 public:
  Extraction(Graph& graph, NodeId first, const std::vector<Expr>& state) : graph_(graph) {
    body_.states = state.size();
    for (size_t i = 0; i < state.size(); ++i) {
      refs_[state[i].node] = {Ref::Kind::kState, i, 0};
      inside_.insert(state[i].node);
    }
    for (NodeId id = first; id < graph.size(); ++id) {
      const Node& node = graph.node(id);
      bool depends = !node.op->traits().pure && dynamic_cast<const LeafOp*>(node.op.get()) == nullptr;
      for (const Expr& input : node.inputs) {
        depends = depends || inside_.count(input.node) != 0;
      }
      if (depends) inside_.insert(id);
    }
  }

  Ref ref(Expr expr) {
    if (const auto found = refs_.find(expr.node); found != refs_.end()) {
      Ref result = found->second;
      result.output = result.kind == Ref::Kind::kNode ? expr.output : 0;
      return result;
    }
    if (inside_.count(expr.node) == 0) {
      captures_.push_back(expr);
      return {Ref::Kind::kCapture, captures_.size() - 1, 0};
    }
    const Node node = graph_.node(expr.node);
    InnerNode inner{node.op, {}, node.outputs};
    for (const Expr& input : node.inputs) {
      inner.inputs.push_back(ref(input));
    }
    body_.random |= !node.op->traits().pure;
    body_.nodes.push_back(std::move(inner));
    refs_[expr.node] = {Ref::Kind::kNode, body_.nodes.size() - 1, 0};
    return {Ref::Kind::kNode, body_.nodes.size() - 1, expr.output};
  }

  LoopBody& body() { return body_; }
  const std::vector<Expr>& captures() const { return captures_; }

 private:
  Graph& graph_;
  LoopBody body_;
  std::map<NodeId, Ref> refs_;
  std::set<NodeId> inside_;
  std::vector<Expr> captures_;
};

}  // namespace

std::vector<Expr> while_loop(Graph& graph, const std::vector<Expr>& start,
                             const std::function<Expr(const std::vector<Expr>&)>& condition,
                             const std::function<std::vector<Expr>(const std::vector<Expr>&)>& body) {
  const NodeId first = graph.size();
  std::vector<Expr> state;
  for (size_t i = 0; i < start.size(); ++i) {
    state.push_back(input(graph, fmt::format("while_loop:{}:{}", first, i), start[i].dtype(), start[i].dims()));
  }
  const Expr go_on = condition(state);
  const std::vector<Expr> next = body(state);
  if (go_on.dtype() != DType::kBool || go_on.rank() != 0) {
    throw Error(ExitStatus::kConfig, "the condition of tf.while_loop must be a scalar bool, got " + go_on.type().str());
  }
  if (next.size() != start.size()) {
    throw Error(ExitStatus::kConfig, fmt::format("the body of tf.while_loop gives {} values for {} loop variables",
                                                 next.size(), start.size()));
  }
  Extraction extraction(graph, first, state);
  for (size_t i = 0; i < next.size(); ++i) {
    if (next[i].dtype() != start[i].dtype() || next[i].rank() != start[i].rank()) {
      throw Error(ExitStatus::kConfig, fmt::format("loop variable {} of tf.while_loop changes from {} to {}", i,
                                                   start[i].type().str(), next[i].type().str()));
    }
    extraction.body().next.push_back(extraction.ref(next[i]));
  }
  extraction.body().condition = extraction.ref(go_on);
  std::vector<Expr> inputs = start;
  inputs.insert(inputs.end(), extraction.captures().begin(), extraction.captures().end());
  const Expr loop = graph.add(std::make_shared<const WhileLoopOp>(std::move(extraction.body()), first), inputs);
  std::vector<Expr> results;
  for (size_t i = 0; i < start.size(); ++i) {
    results.push_back(graph.output_of(loop, static_cast<int>(i)));
  }
  return results;
}

}  // namespace wende::ops
