#include <fmt/core.h>

#include "base/error.h"
#include "graph/accumulate.h"
#include "graph/gradients.h"
#include "graph/leaf_op.h"
#include "ops/leaf.h"
#include "ops/loop_op.h"

namespace wende::ops {
namespace {

/// The gradient of a loop: a loop that runs the other way. The body is copied and differentiated there; what backward
/// nodes read of forward nodes becomes sequences of the backward loop: outputs that the forward loop writes for it.
class BackwardLoop {
 public:
  BackwardLoop(const LoopBody& body, const VjpContext& context)
      : forward_(body), context_(context), builder_(context.graph, body.time, !body.reverse) {
    std::map<NodeId, Expr> captured;
    for (const LoopBody::Capture& capture : body.captures) captured[capture.leaf] = context.input(capture.input);
    copy_ = body.graph->clone(context.graph, std::move(captured));
    if (body.stop.defined()) builder_.run_only(context.output(body.steps_state));
  }

  std::vector<Expr> run();

 private:
  /// A part of a captured value's gradient that is made of whole sequences after the loop: one product over all
  /// frames instead of one per step.
  struct AfterLoop {
    std::shared_ptr<const Op> op;
    int output = 0;
    std::vector<Expr> inputs;  ///< of the backward body
  };
  struct CaptureGradient {
    std::vector<AfterLoop> after;
    Expr sum;  ///< of the backward body: what has to be added up in the loop
  };

  void seed_outputs();
  void differentiate();
  CaptureGradient split(Expr gradient);
  void collect_parts(Expr gradient, std::vector<Expr>& parts) const;
  bool goes_after(Expr part) const;
  Expr total(const CaptureGradient& gradient);

  Expr copy_leaf(const char* kind, const ExprType& type) {
    return copy_->add(std::make_shared<const LeafOp>(fmt::format("{}:{}", kind, copy_->size()), false, type), {});
  }
  Expr in_copy(Expr expr) { return {copy_.get(), expr.node, expr.output}; }
  Expr in_body(Expr expr);
  Expr forward_in_body(Expr expr);
  Expr node_in_body(Expr expr);
  Expr initial_of(const LoopBody::State& state, const ExprType& type) {
    return state.initial >= 0 ? context_.input(state.initial) : constant(context_.graph, 0.0, type.dtype, type.dims);
  }

  const LoopBody& forward_;
  const VjpContext& context_;
  LoopBuilder builder_;
  std::unique_ptr<Graph> copy_;
  std::vector<GradientSeed> seeds_;
  std::map<NodeId, Expr> imported_;      ///< node of the copy -> output 0 in the backward body
  std::map<size_t, Expr> state_leaves_;  ///< state -> leaf of its gradient in the copy
  std::map<size_t, Expr> state_grads_;   ///< state -> state of the backward loop
  std::map<int, Expr> sequence_grads_;   ///< input -> value of the backward body
  std::map<int, CaptureGradient> capture_grads_;
};

void BackwardLoop::seed_outputs() {
  const size_t state_count = forward_.states.size();
  for (size_t i = 0; i < forward_.values.size(); ++i) {
    const Expr grad = context_.output_grads[state_count + i];
    if (!grad.defined()) continue;
    const Expr leaf = copy_leaf("gradient", forward_.values[i].type());
    imported_[leaf.node] = builder_.sequence(grad);
    seeds_.push_back({in_copy(forward_.values[i]), leaf});
  }
  for (size_t i = 0; i < state_count; ++i) {
    const LoopBody::State& state = forward_.states[i];
    const ExprType& type = forward_.graph->node(state.leaf).outputs[0];
    if (type.dtype != DType::kFloat32) continue;
    const Expr leaf = copy_leaf("state_gradient", type);
    state_leaves_[i] = leaf;
    state_grads_[i] = builder_.state(type);
    imported_[leaf.node] = state_grads_[i];
    seeds_.push_back({in_copy(state.next), leaf});
  }
}

void BackwardLoop::differentiate() {
  std::vector<Expr> wrt;
  for (const auto& [i, leaf] : state_leaves_) wrt.push_back({copy_.get(), forward_.states[i].leaf, 0});
  for (const LoopBody::Sequence& sequence : forward_.sequences) {
    if (!context_.needed[static_cast<size_t>(sequence.input)]) continue;
    if (sequence.offset != 0) {
      throw Error(ExitStatus::kConfig, "[loop] second derivatives of a loop are not supported");
    }
    wrt.push_back({copy_.get(), sequence.leaf, 0});
  }
  for (const LoopBody::Capture& capture : forward_.captures) {
    if (context_.needed[static_cast<size_t>(capture.input)]) wrt.push_back({copy_.get(), capture.leaf, 0});
  }
  if (seeds_.empty() || wrt.empty()) return;
  const std::vector<Expr> grads = gradients(seeds_, wrt);
  size_t at = 0;
  for (const auto& [i, backward_state] : state_grads_) {
    const Expr grad = grads[at++];
    const ExprType& type = forward_.graph->node(forward_.states[i].leaf).outputs[0];
    const Expr next = grad.defined() ? in_body(grad) : constant(builder_.body(), 0.0, type.dtype, type.dims);
    builder_.set_state(backward_state, next, context_.output_grads[i]);
  }
  for (const LoopBody::Sequence& sequence : forward_.sequences) {
    if (!context_.needed[static_cast<size_t>(sequence.input)]) continue;
    if (const Expr grad = grads[at++]; grad.defined()) sequence_grads_[sequence.input] = in_body(grad);
  }
  for (const LoopBody::Capture& capture : forward_.captures) {
    if (!context_.needed[static_cast<size_t>(capture.input)]) continue;
    if (const Expr grad = grads[at++]; grad.defined()) capture_grads_[capture.input] = split(grad);
  }
}

void BackwardLoop::collect_parts(Expr gradient, std::vector<Expr>& parts) const {
  const Node& node = copy_->node(gradient.node);
  if (gradient.node >= forward_.graph->size() && node.op->name() == "accumulate") {
    collect_parts(node.inputs[0], parts);
    collect_parts(node.inputs[1], parts);
  } else {
    parts.push_back(gradient);
  }
}

/// Sums over the frames of a step, of inputs that vary with the step. Inputs with a further dynamic axis (encoder
/// frames at each step) would take too much memory.
bool BackwardLoop::goes_after(Expr part) const {
  const Node& node = copy_->node(part.node);
  if (!node.op->traits().sums_frames) return false;
  for (const Expr& input : node.inputs) {
    if (copy_->captured(input).defined()) return false;
    for (const Dim& dim : input.dims()) {
      if (dim.is_dynamic() && !dim.is_batch()) return false;
    }
  }
  return true;
}

BackwardLoop::CaptureGradient BackwardLoop::split(Expr gradient) {
  std::vector<Expr> parts;
  collect_parts(gradient, parts);
  CaptureGradient result;
  std::vector<Expr> sums;
  for (const Expr& part : parts) {
    if (!goes_after(part)) {
      sums.push_back(in_body(part));
      continue;
    }
    AfterLoop after{copy_->node(part.node).op, part.output, {}};
    for (const Expr& input : copy_->node(part.node).inputs) {
      after.inputs.push_back(in_body(input));
      builder_.keep(after.inputs.back());
    }
    result.after.push_back(std::move(after));
  }
  if (!sums.empty()) result.sum = builder_.sum_over_steps(accumulate(sums));
  return result;
}

/// A value of the copy in the backward body.
Expr BackwardLoop::in_body(Expr expr) {
  const auto known = imported_.find(expr.node);
  if (known != imported_.end()) return {known->second.graph, known->second.node, known->second.output + expr.output};
  if (const Expr outside = copy_->captured(expr); outside.defined()) return builder_.body().capture(outside);
  return expr.node < forward_.graph->size() ? forward_in_body(expr) : node_in_body(expr);
}

Expr BackwardLoop::forward_in_body(Expr expr) {
  if (expr.node == forward_.step) return builder_.step();
  for (const LoopBody::Sequence& sequence : forward_.sequences) {
    if (sequence.leaf == expr.node) {
      const Expr boundary = sequence.boundary >= 0 ? context_.input(sequence.boundary) : Expr{};
      return builder_.sequence(context_.input(sequence.input), sequence.offset, boundary);
    }
  }
  const int state_count = static_cast<int>(forward_.states.size());
  for (const LoopBody::State& state : forward_.states) {
    if (state.leaf == expr.node) {
      const int value = forward_.value_index.at({state.next.node, state.next.output});
      return builder_.sequence(context_.output(state_count + value), forward_.reverse ? 1 : -1,
                               initial_of(state, expr.type()));
    }
  }
  const auto value = forward_.value_index.find({expr.node, expr.output});
  // Renamed bytes are renamed again instead of stored twice.
  const bool stored = value != forward_.value_index.end() && copy_->node(expr.node).op->aliases_input() < 0;
  return stored ? builder_.sequence(context_.output(state_count + value->second)) : node_in_body(expr);
}

Expr BackwardLoop::node_in_body(Expr expr) {
  std::vector<Expr> inputs;
  for (const Expr& input : copy_->node(expr.node).inputs) inputs.push_back(in_body(input));
  const Node& node = copy_->node(expr.node);
  const ScopeGuard scope(builder_.body(), copy_->scope_name(node.scope));
  const Expr result = builder_.body().add(node.op, std::move(inputs));
  imported_[expr.node] = result;
  return {result.graph, result.node, result.output + expr.output};
}

Expr BackwardLoop::total(const CaptureGradient& gradient) {
  std::vector<Expr> parts;
  for (const AfterLoop& after : gradient.after) {
    std::vector<Expr> inputs;
    for (const Expr& input : after.inputs) inputs.push_back(builder_.stack(input));
    parts.push_back(context_.graph.output_of(context_.graph.add(after.op, std::move(inputs)), after.output));
  }
  if (gradient.sum.defined()) parts.push_back(builder_.final_state(gradient.sum));
  return accumulate(parts);
}

std::vector<Expr> BackwardLoop::run() {
  seed_outputs();
  differentiate();
  for (const auto& [input, value] : sequence_grads_) builder_.keep(value);
  for (const auto& [i, state] : state_grads_) {
    if (forward_.states[i].initial >= 0) builder_.keep(state);
  }
  builder_.finish();
  std::vector<std::vector<Expr>> parts(context_.node.inputs.size());
  for (const auto& [input, value] : sequence_grads_) {
    parts[static_cast<size_t>(input)].push_back(builder_.stack(value));
  }
  for (const auto& [input, gradient] : capture_grads_) parts[static_cast<size_t>(input)].push_back(total(gradient));
  for (const auto& [i, state] : state_grads_) {
    const int initial = forward_.states[i].initial;
    if (initial >= 0 && context_.needed[static_cast<size_t>(initial)]) {
      parts[static_cast<size_t>(initial)].push_back(builder_.final_state(state));
    }
  }
  std::vector<Expr> result;
  for (const std::vector<Expr>& each : parts) result.push_back(each.empty() ? Expr{} : accumulate(each));
  return result;
}

}  // namespace

std::vector<Expr> LoopOp::vjp(const VjpContext& context) const { return BackwardLoop(*body_, context).run(); }

}  // namespace wende::ops
