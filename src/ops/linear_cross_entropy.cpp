#include "ops/linear_cross_entropy.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>

#include "graph/device_op.h"
#include "kernels/linear_cross_entropy.h"
#include "ops/recurrent_inputs.h"

namespace wende::ops {

namespace {

/// Which of its inputs and outputs an op has.
struct Parts {
  bool bias = false;
  bool valid = false;
  bool gradients = false;
  bool bias_gradient = false;
};

/// Inputs: x, w, [bias], labels, [valid], [dloss]; outputs: loss, best, [dx, dw, [dbias]].
class LinearCrossEntropyOp : public DeviceOp {
 public:
  explicit LinearCrossEntropyOp(const Parts& parts) : parts_(parts) {}
  std::string_view name() const override { return "linear_cross_entropy"; }
  OpTraits traits() const override { return {.skips_unwanted = true}; }
  PaddingRule padding() const override {
    PaddingRule rule{.kind = PaddingRule::Kind::kFrameWise};
    if (parts_.valid) {
      const int labels = parts_.bias ? 3 : 2;
      rule.mask = labels + 1;
      rule.zero_any = {rule.mask};
      rule.masked = {0, labels};
      if (parts_.gradients) rule.masked.push_back(labels + 2);
    }
    return rule;
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("bias", parts_.bias);
    visitor.field("valid", parts_.valid);
    visitor.field("gradients", parts_.gradients);
    visitor.field("bias_gradient", parts_.bias_gradient);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const std::vector<Dim>& rows = inputs[parts_.bias ? 3 : 2].dims;
    std::vector<ExprType> outputs{{DType::kFloat32, rows}, {DType::kInt32, rows}};
    if (parts_.gradients) {
      outputs.push_back(inputs[0]);
      outputs.push_back(inputs[1]);
    }
    if (parts_.bias_gradient) outputs.push_back(inputs[2]);
    return outputs;
  }
  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::LinearCrossEntropy tensors;
    tensors.x = inputs.next();
    tensors.w = inputs.next();
    tensors.bias = inputs.next(parts_.bias);
    tensors.labels = inputs.next();
    tensors.valid = inputs.next(parts_.valid);
    tensors.dloss = inputs.next(parts_.gradients);
    tensors.loss = wanted_output(context, 0);
    tensors.best = wanted_output(context, 1);
    if (parts_.gradients) {
      tensors.dx = wanted_output(context, 2);
      tensors.dw = wanted_output(context, 3);
    }
    if (parts_.bias_gradient) tensors.dbias = wanted_output(context, 4);
    WENDE_ON_DEVICE(context.device(), linear_cross_entropy(tensors, scratch_of(context)));
  }

 private:
  Parts parts_;
};

/// One softmax layer in the graph: the nodes from its product to the gradients of its parameters.
class Pattern {
 public:
  Pattern(Graph& graph, const std::vector<std::vector<NodeId>>& readers, NodeId loss)
      : graph_(graph), readers_(readers), loss_(loss), logits_(graph.node(loss).inputs[0]) {}

  void offer() {
    if (!is_linear()) return;
    find_readers();
    find_gradients();
    const Node& linear = graph_.node(logits_.node);
    std::vector<Expr> inputs = linear.inputs;
    const std::vector<Expr>& of_loss = graph_.node(loss_).inputs;
    inputs.insert(inputs.end(), of_loss.begin() + 1, of_loss.end());
    if (parts_.gradients) inputs.push_back(graph_.node(*logits_grad_).inputs[3]);
    if (depends_on_loss(inputs)) return;
    const ScopeGuard scope(graph_, graph_.scope_name(linear.scope));
    const Expr fused = graph_.add(std::make_shared<const LinearCrossEntropyOp>(parts_), inputs);
    std::vector<NodeId> replaced{logits_.node};
    for (const auto& [value, output] : gives_) replaced.push_back(value.node);
    if (logits_grad_) replaced.push_back(*logits_grad_);
    graph_.offer({fused.node, replaced, gives_});
  }

 private:
  std::string text(NodeId id) const { return op_text(*graph_.node(id).op); }
  const std::vector<NodeId>& readers(NodeId id) const { return readers_[static_cast<size_t>(id)]; }

  bool is_linear() {
    const std::string name = text(logits_.node);
    parts_.bias = name == "linear{transpose_w=0,has_bias=1}";
    parts_.valid = graph_.node(loss_).inputs.size() > 2;
    gives_ = {{Expr{&graph_, loss_, 0}, 0}};
    return parts_.bias || name == "linear{transpose_w=0,has_bias=0}";
  }

  /// Other readers may be there: whether they are needed is a question to the program.
  void find_readers() {
    const std::string argmax = fmt::format("argmax{{axis={}}}", logits_.rank() - 1);
    for (const NodeId reader : readers(logits_.node)) {
      const Node& node = graph_.node(reader);
      if (text(reader) == argmax) {
        gives_.emplace_back(Expr{&graph_, reader, 0}, 1);
      } else if (node.op->name() == "softmax_cross_entropy_grad" && node.inputs[1].node == loss_) {
        logits_grad_ = reader;
      }
    }
  }

  void find_gradients() {
    if (!logits_grad_) return;
    parts_.gradients = true;
    const std::vector<Expr>& of_linear = graph_.node(logits_.node).inputs;
    for (const NodeId reader : readers(*logits_grad_)) {
      const std::vector<Expr>& inputs = graph_.node(reader).inputs;
      const std::string name = text(reader);
      const bool with_bias = name == "linear_weight_grad{with_bias=1}";
      if (name == "linear{transpose_w=1,has_bias=0}" && inputs[1] == of_linear[1]) {
        gives_.emplace_back(Expr{&graph_, reader, 0}, 2);
      } else if ((with_bias || name == "linear_weight_grad{with_bias=0}") && inputs[0] == of_linear[0]) {
        gives_.emplace_back(Expr{&graph_, reader, 0}, 3);
        if (with_bias) gives_.emplace_back(Expr{&graph_, reader, 1}, 4);
        parts_.bias_gradient = with_bias;
      }
    }
  }

  /// E.g. a focal loss: its gradient is scaled by the loss itself.
  bool depends_on_loss(const std::vector<Expr>& inputs) const {
    NodeId last = 0;
    for (const Expr& input : inputs) last = std::max(last, input.node);
    std::vector<char> depends(static_cast<size_t>(last) + 1, 0);
    for (NodeId id = logits_.node; id <= last; ++id) {
      const std::vector<Expr>& sources = graph_.node(id).inputs;
      depends[static_cast<size_t>(id)] =
          id == logits_.node || std::any_of(sources.begin(), sources.end(), [&](const Expr& source) {
            return depends[static_cast<size_t>(source.node)] != 0;
          });
    }
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](const Expr& input) { return depends[static_cast<size_t>(input.node)] != 0; });
  }

  Graph& graph_;
  const std::vector<std::vector<NodeId>>& readers_;
  NodeId loss_;
  Expr logits_;
  Parts parts_;
  std::optional<NodeId> logits_grad_;
  std::vector<std::pair<Expr, int>> gives_;
};

}  // namespace

void offer_linear_cross_entropy(Graph& graph) {
  std::vector<std::vector<NodeId>> readers(static_cast<size_t>(graph.size()));
  std::vector<NodeId> losses;
  for (NodeId id = 0; id < graph.size(); ++id) {
    std::set<NodeId> read;
    for (const Expr& input : graph.node(id).inputs) read.insert(input.node);
    for (const NodeId node : read) readers[static_cast<size_t>(node)].push_back(id);
    if (graph.node(id).op->name() == "softmax_cross_entropy") losses.push_back(id);
  }
  for (const NodeId loss : losses) Pattern(graph, readers, loss).offer();
}

}  // namespace wende::ops
