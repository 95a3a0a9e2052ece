#include <fmt/core.h>

#include "base/error.h"
#include "graph/accumulate.h"
#include "graph/leaf_op.h"
#include "ops/leaf.h"
#include "ops/loop_op.h"
#include "ops/pointwise.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

/// A leaf as a computed value, so that each state's next value is one that the body computes.
class KeepOp final : public DeviceOp {
 public:
  std::string_view name() const override { return "keep"; }
  OpTraits traits() const override { return {.pure = false, .pointwise = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    if (context.output(0).raw() != context.input(0).raw()) context.output(0).copy_from(context.input(0));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override { return {context.grad()}; }
};

bool is_leaf(Expr value) { return dynamic_cast<const LeafOp*>(value.graph->node(value.node).op.get()) != nullptr; }

ExprType without_time(ExprType type) {
  type.dims.erase(type.dims.begin());
  return type;
}

}  // namespace

LoopBuilder::LoopBuilder(Graph& outer, Dim time, bool reverse) : outer_(outer), body_(std::make_shared<LoopBody>()) {
  body_->graph = std::make_unique<Graph>(&outer);
  body_->time = std::move(time);
  body_->reverse = reverse;
}

Expr LoopBuilder::leaf(const char* kind, const ExprType& type) {
  return body().add(std::make_shared<const LeafOp>(fmt::format("{}:{}", kind, body().size()), false, type), {});
}

int LoopBuilder::add_input(Expr value) {
  const Expr outside = body().captured(value);
  value = outer_.capture(outside.defined() ? outside : value);
  const auto [it, fresh] = input_index_.try_emplace({value.node, value.output}, static_cast<int>(inputs_.size()));
  if (fresh) {
    inputs_.push_back(value);
  }
  return it->second;
}

Expr LoopBuilder::sequence(Expr sequence, int offset, Expr boundary) {
  LoopBody::Sequence entry;
  entry.input = add_input(sequence);
  entry.offset = offset;
  entry.boundary = boundary.defined() ? add_input(boundary) : -1;
  for (const LoopBody::Sequence& other : body_->sequences) {
    if (other.input == entry.input && other.offset == offset && other.boundary == entry.boundary) {
      return {&body(), other.leaf, 0};
    }
  }
  if (sequence.rank() == 0 || !sequence.dim(0).same_size(body_->time)) {
    throw internal_error("a sequence of a loop over " + body_->time.str() + " is " + sequence.type().str());
  }
  const Expr result = leaf("sequence", without_time(sequence.type()));
  entry.leaf = result.node;
  body_->sequences.push_back(entry);
  return result;
}

Expr LoopBuilder::step() {
  if (body_->step < 0) {
    body_->step = leaf("step", {DType::kInt32, {}}).node;
  }
  return {&body(), body_->step, 0};
}

Expr LoopBuilder::state(const ExprType& type) {
  LoopBody::State state;
  state.leaf = leaf("state", type).node;
  body_->states.push_back(state);
  return {&body(), state.leaf, 0};
}

void LoopBuilder::set_state(Expr state, Expr next, Expr initial) {
  next = body().capture(next);
  for (LoopBody::State& entry : body_->states) {
    if (entry.leaf == state.node) {
      entry.next = is_leaf(next) ? body().add(std::make_shared<const KeepOp>(), {next}) : next;
      entry.initial = initial.defined() ? add_input(initial) : -1;
      return;
    }
  }
  throw internal_error("set_state of an expression that is no state");
}

Expr LoopBuilder::sum_over_steps(Expr value) {
  const Expr sum = state(value.type());
  set_state(sum, accumulate({sum, value}), {});
  body_->states.back().sums = true;
  return sum;
}

void LoopBuilder::stop_after(Expr condition) {
  condition = body().capture(condition);
  body_->stop = is_leaf(condition) ? body().add(std::make_shared<const KeepOp>(), {condition}) : condition;
  const Expr steps = state({DType::kInt32, {}});
  body_->steps_state = static_cast<int>(body_->states.size()) - 1;
  set_state(steps, binary(Binary::kAdd, step(), int_constant(body(), 1)), {});
}

void LoopBuilder::run_only(Expr count) { body_->count = add_input(count); }

void LoopBuilder::keep(Expr value) { kept_.push_back(value); }

/// Everything that states and kept values need, in running order.
void LoopBuilder::collect_values() {
  std::vector<char> needed(static_cast<size_t>(body().size()), 0);
  for (const LoopBody::State& state : body_->states) {
    if (!state.next.defined()) {
      throw internal_error("a state of a loop has no next value");
    }
    needed[static_cast<size_t>(state.next.node)] = 1;
  }
  if (body_->stop.defined()) {
    needed[static_cast<size_t>(body_->stop.node)] = 1;
  }
  for (const Expr& value : kept_) {
    needed[static_cast<size_t>(value.node)] = 1;
  }
  for (NodeId id = body().size() - 1; id >= 0; --id) {
    for (const Expr& input : body().node(id).inputs) {
      needed[static_cast<size_t>(input.node)] |= needed[static_cast<size_t>(id)];
    }
  }
  for (NodeId id = 0; id < body().size(); ++id) {
    const Expr value{&body(), id, 0};
    if (needed[static_cast<size_t>(id)] == 0) {
      continue;
    }
    if (const Expr outside = body().captured(value); outside.defined()) {
      body_->captures.push_back({id, add_input(outside)});
    }
    for (size_t output = 0; !is_leaf(value) && output < body().node(id).outputs.size(); ++output) {
      body_->value_index[{id, static_cast<int>(output)}] = static_cast<int>(body_->values.size());
      body_->values.push_back({&body(), id, static_cast<int>(output)});
    }
  }
}

void LoopBuilder::finish() {
  collect_values();
  loop_ = outer_.add(std::make_shared<const LoopOp>(body_), inputs_);
}

Expr LoopBuilder::final_state(Expr state) const {
  for (size_t i = 0; i < body_->states.size(); ++i) {
    if (body_->states[i].leaf == state.node) {
      return {loop_.graph, loop_.node, static_cast<int>(i)};
    }
  }
  throw internal_error("final_state of an expression that is no state");
}

Expr LoopBuilder::steps_done() {
  return body_->steps_state < 0 ? dim_size(outer_, body_->time) : Expr{loop_.graph, loop_.node, body_->steps_state};
}

Expr LoopBuilder::stack(Expr value) {
  if (const auto it = body_->value_index.find({value.node, value.output}); it != body_->value_index.end()) {
    return {loop_.graph, loop_.node, static_cast<int>(body_->states.size()) + it->second};
  }
  if (const Expr outside = body().captured(value); outside.defined()) {
    std::vector<Dim> dims = outside.dims();
    dims.insert(dims.begin(), body_->time);
    return broadcast_to(expand_dims(outside, 0), dims);
  }
  if (value.node == body_->step) {
    return range(outer_, body_->time);
  }
  for (const LoopBody::Sequence& sequence : body_->sequences) {
    if (sequence.leaf == value.node) {
      const Expr x = inputs_[static_cast<size_t>(sequence.input)];
      return sequence.offset == 0 ? x
                                  : shift_steps(x, inputs_[static_cast<size_t>(sequence.boundary)], sequence.offset);
    }
  }
  for (const LoopBody::State& state : body_->states) {
    if (state.leaf == value.node) {
      const Expr initial = state.initial >= 0 ? inputs_[static_cast<size_t>(state.initial)]
                                              : constant(outer_, 0.0, value.dtype(), value.dims());
      return shift_steps(stack(state.next), initial, body_->reverse ? 1 : -1);
    }
  }
  throw internal_error("stack of a value that the loop does not keep: " + value.type().str());
}

}  // namespace wende::ops
