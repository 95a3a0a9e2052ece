#include "ops/loop_run.h"

#include <algorithm>
#include <set>
#include <string>

#include "device/recorded_launch.h"
#include "graph/leaf_op.h"
#include "kernels/copy_many.h"
#include "kernels/pointwise.h"
#include "ops/loop_op.h"
#include "tensor/placement.h"

namespace wende::ops {
namespace {

/// Frame t of [T,...], without copying.
Tensor frame(const Tensor& sequence, int64_t t) {
  const Shape shape = sequence.shape().without(0);
  const size_t bytes = static_cast<size_t>(shape.elements()) * size_of(sequence.dtype());
  return Tensor::wrap(sequence.dtype(), shape, sequence.raw() + static_cast<size_t>(t) * bytes, nullptr,
                      sequence.device());
}

const ExprType& type_of(const Graph& graph, NodeId leaf) { return graph.node(leaf).outputs[0]; }

const std::string& name_of_leaf(const Graph& graph, NodeId leaf) {
  return dynamic_cast<const LeafOp&>(*graph.node(leaf).op).leaf_name();
}

/// Different random numbers in each step, the same in each run.
uint64_t seed_of_step(uint64_t seed, int64_t t) { return seed + 0x9e3779b97f4a7c15u * (static_cast<uint64_t>(t) + 1); }

}  // namespace

LoopRun::LoopRun(std::shared_ptr<const LoopBody> body, const RunContext& context) : body_(std::move(body)) {
  find_needed_states(context);
  std::vector<Fetch> fetches;
  const auto fetch = [&fetches](Expr expr) {
    fetches.push_back({expr, {}, true});
    return static_cast<int>(fetches.size()) - 1;
  };
  const int state_count = static_cast<int>(body_->states.size());
  std::map<int, int> run_of_value;
  for (size_t i = 0; i < body_->values.size(); ++i) {
    if (const int output = state_count + static_cast<int>(i); context.output_wanted(output)) {
      run_of_value[static_cast<int>(i)] = static_cast<int>(values_.size());
      values_.push_back({output, fetch(body_->values[i])});
    }
  }
  for (StateRun& run : states_) {
    const LoopBody::State& state = body_->states[static_cast<size_t>(run.state)];
    const int value = body_->value_index.at({state.next.node, state.next.output});
    const auto stacked = run_of_value.find(value);
    run.value = stacked == run_of_value.end() || state.sums ? -1 : stacked->second;
    run.fetch = run.value < 0 ? fetch(state.next) : -1;
    moving_.push_back(state.leaf);
  }
  for (const LoopBody::Sequence& sequence : body_->sequences) {
    moving_.push_back(sequence.leaf);
  }
  if (body_->step >= 0) {
    moving_.push_back(body_->step);
  }
  if (body_->stop.defined()) {
    stop_fetch_ = fetch(body_->stop);
    stop_ = Tensor::empty(DType::kBool, {}, context.device());
  }
  executor_ = std::make_unique<Executor>(*body_->graph, std::move(fetches), context.device());
  find_read_inputs();
}

/// Of a body that its gradient has extended: the node that was there before has no input for what came later, and does
/// not read it.
void LoopRun::find_read_inputs() {
  const std::vector<std::string> names = executor_->leaf_names();
  const std::set<std::string> read(names.begin(), names.end());
  for (const LoopBody::Sequence& sequence : body_->sequences) {
    if (read.count(name_of_leaf(*body_->graph, sequence.leaf)) != 0) {
      sequences_.push_back({sequence, {}});
    }
  }
  for (const LoopBody::Capture& capture : body_->captures) {
    if (read.count(name_of_leaf(*body_->graph, capture.leaf)) != 0) {
      captures_.push_back(capture);
    }
  }
}

/// Those whose last value is wanted, and those that wanted values read.
void LoopRun::find_needed_states(const RunContext& context) {
  const Graph& graph = *body_->graph;
  std::vector<char> needed(static_cast<size_t>(graph.size()), 0);
  for (size_t i = 0; i < body_->values.size(); ++i) {
    if (context.output_wanted(static_cast<int>(body_->states.size() + i))) {
      needed[static_cast<size_t>(body_->values[i].node)] = 1;
    }
  }
  if (body_->stop.defined()) {
    needed[static_cast<size_t>(body_->stop.node)] = 1;
  }
  std::vector<char> chosen(body_->states.size(), 0);
  for (bool changed = true; changed;) {
    changed = false;
    for (NodeId id = graph.size() - 1; id >= 0; --id) {
      for (const Expr& input : graph.node(id).inputs) {
        needed[static_cast<size_t>(input.node)] |= needed[static_cast<size_t>(id)];
      }
    }
    for (size_t i = 0; i < body_->states.size(); ++i) {
      const LoopBody::State& state = body_->states[i];
      const bool wanted = context.output_wanted(static_cast<int>(i)) || needed[static_cast<size_t>(state.leaf)] != 0;
      if (wanted && chosen[i] == 0) {
        chosen[i] = 1;
        needed[static_cast<size_t>(state.next.node)] = 1;
        changed = true;
      }
    }
  }
  for (size_t i = 0; i < chosen.size(); ++i) {
    if (chosen[i] != 0) {
      states_.emplace_back().state = static_cast<int>(i);
    }
  }
}

void LoopRun::bind_captures(RunContext& context) {
  for (const LoopBody::Capture& capture : captures_) {
    executor_->bind(name_of_leaf(*body_->graph, capture.leaf), context.input(capture.input));
  }
}

void LoopRun::start_states(RunContext& context) {
  for (StateRun& run : states_) {
    const LoopBody::State& state = body_->states[static_cast<size_t>(run.state)];
    const ExprType& type = type_of(*body_->graph, state.leaf);
    const Shape shape = context.binding().shape(type.dims);
    if (state.sums) {
      run.last = context.output(run.state);
      WENDE_ON_DEVICE(context.device(), fill(run.last, 0.0));
      continue;
    }
    if (!run.buffers[0].defined() || !(run.buffers[0].shape() == shape)) {
      for (Tensor& buffer : run.buffers) {
        buffer = Tensor::empty(type.dtype, shape, context.device());
      }
    }
    for (const Tensor& buffer : run.buffers) {
      keep_for_recording(buffer.owner());
    }
    if (state.initial >= 0) {
      run.last = context.input(state.initial);
    } else {
      run.last = run.buffers[1];
      WENDE_ON_DEVICE(context.device(), fill(run.last, 0.0));
    }
  }
}

Tensor LoopRun::slice(RunContext& context, const LoopBody::Sequence& sequence, int64_t t) const {
  const int64_t from = t + sequence.offset;
  const bool inside = from >= 0 && from < count_;
  return inside ? frame(context.input(sequence.input), from) : context.input(sequence.boundary);
}

void LoopRun::step(RunContext& context, int64_t t, bool is_last) {
  for (const SequenceRun& run : sequences_) executor_->point_leaf(run.sequence.leaf, slice(context, run.sequence, t));
  if (body_->step >= 0) {
    executor_->point_leaf(body_->step, frame(steps_, t));
  }
  for (const ValueRun& value : values_) {
    executor_->point_fetch(value.fetch, frame(context.output(value.output), t));
  }
  for (StateRun& run : states_) {
    const LoopBody::State& state = body_->states[static_cast<size_t>(run.state)];
    executor_->point_leaf(state.leaf, run.last);
    if (run.value >= 0) {
      run.last = frame(context.output(values_[static_cast<size_t>(run.value)].output), t);
      continue;
    }
    if (!state.sums) {
      const Tensor& next = run.buffers[run.last.raw() == run.buffers[0].raw() ? 1 : 0];
      run.last = is_last && context.output_wanted(run.state) ? context.output(run.state) : next;
    }
    executor_->point_fetch(run.fetch, run.last);
  }
  options_.seed = seed_of_step(context.seed(), t);
  executor_->step();
}

void LoopRun::finish_states(RunContext& context) {
  for (StateRun& run : states_) {
    if (context.output_wanted(run.state) && run.last.raw() != context.output(run.state).raw()) {
      context.output(run.state).copy_from(run.last);
    }
    run.last = Tensor();
  }
}

void LoopRun::run_steps(RunContext& context) {
  if (stop_fetch_ >= 0) {
    executor_->point_fetch(stop_fetch_, stop_);
  }
  const bool repeated = repeats(context);
  if (repeated) set_places(context);
  int64_t done = 0;
  for (bool stopped = false; done < count_ && !stopped; ++done) {
    const int64_t t = body_->reverse ? count_ - 1 - done : done;
    if (repeated) {
      repeat_step(context, t);
    } else {
      step(context, t, done == count_ - 1);
    }
    stopped = stop_fetch_ >= 0 && on_host(stop_).data<bool>()[0];
  }
  clear_frames_from(context, body_->reverse ? count_ : done);
}

/// Copies cost two launches in each step, and the first two steps are for watching and recording.
bool LoopRun::repeats(const RunContext& context) const {
  constexpr size_t kFewestKernels = 8;
  constexpr int64_t kFewestSteps = 4;
  return (stop_fetch_ >= 0 || needs_host_) && records_launches(context.device()) && !is_recording() &&
         !options_.check_numerics && count_ >= kFewestSteps && executor_->prepared_kernels() >= kFewestKernels;
}

/// All leaves and fetches point to where they are in every step.
void LoopRun::set_places(const RunContext& context) {
  const Device device = context.device();
  const auto place = [&](Tensor& at, const ExprType& type) {
    const Shape shape = context.binding().shape(type.dims);
    if (!at.defined() || !(at.shape() == shape)) at = Tensor::empty(type.dtype, shape, device);
  };
  for (SequenceRun& run : sequences_) {
    place(run.place, type_of(*body_->graph, run.sequence.leaf));
    executor_->point_leaf(run.sequence.leaf, run.place);
  }
  if (body_->step >= 0) {
    place(step_place_, {DType::kInt32, {}});
    executor_->point_leaf(body_->step, step_place_);
  }
  for (ValueRun& value : values_) {
    ExprType type = body_->values[static_cast<size_t>(value.output) - body_->states.size()].type();
    place(value.place, type);
    executor_->point_fetch(value.fetch, value.place);
  }
  for (StateRun& run : states_) {
    const LoopBody::State& state = body_->states[static_cast<size_t>(run.state)];
    if (state.sums) {
      run.now = run.next = run.last;
    } else {
      place(run.now, type_of(*body_->graph, state.leaf));
      if (run.value < 0) place(run.next, type_of(*body_->graph, state.leaf));
    }
    executor_->point_leaf(state.leaf, run.now);
    if (run.value >= 0) {
      run.next = values_[static_cast<size_t>(run.value)].place;
    } else {
      executor_->point_fetch(run.fetch, run.next);
    }
  }
}

void LoopRun::repeat_step(RunContext& context, int64_t t) {
  std::vector<cpu::TensorCopy> copies;
  for (const SequenceRun& run : sequences_) copies.push_back({slice(context, run.sequence, t), run.place});
  if (body_->step >= 0) copies.push_back({frame(steps_, t), step_place_});
  for (StateRun& run : states_) {
    if (run.last.raw() != run.now.raw()) copies.push_back({run.last, run.now});
    run.last = run.next;
  }
  WENDE_ON_DEVICE(context.device(), copy_many(copies));
  options_.seed = seed_of_step(context.seed(), t);
  executor_->repeat_step();
  copies.clear();
  for (const ValueRun& value : values_) copies.push_back({value.place, frame(context.output(value.output), t)});
  WENDE_ON_DEVICE(context.device(), copy_many(copies));
}

/// Steps that did not run.
void LoopRun::clear_frames_from(RunContext& context, int64_t begin) {
  for (const ValueRun& value : values_) {
    const Tensor& out = context.output(value.output);
    if (begin < out.dim(0)) clear(out.sliced(0, begin, out.dim(0)));
  }
}

void LoopRun::run(RunContext& context) {
  const uint64_t dependences = host_dependences;
  count_ = context.binding().size(body_->time);
  if (body_->count >= 0) {
    const int64_t wanted = on_host(context.input(body_->count)).data<int32_t>()[0];
    count_ = std::min(count_, wanted);
  }
  if (body_->step >= 0 && (!steps_.defined() || steps_.dim(0) < count_)) {
    steps_ = Tensor::empty(DType::kInt32, {std::max<int64_t>(count_, 1)}, context.device());
    WENDE_ON_DEVICE(context.device(), range(steps_));
  }
  keep_for_recording(steps_.owner());
  options_ = context.options();
  options_.on_fetch = nullptr;
  bind_captures(context);
  start_states(context);
  if (count_ > 0) {
    executor_->prepare(context.binding(), options_, moving_);
  }
  run_steps(context);
  finish_states(context);
  needs_host_ = host_dependences != dependences;
}

void LoopOp::run(RunContext& context) const {
  std::shared_ptr<void>& kept = context.kept();
  if (kept == nullptr) {
    kept = std::make_shared<LoopRun>(body_, context);
  }
  std::static_pointer_cast<LoopRun>(kept)->run(context);
}

}  // namespace wende::ops
