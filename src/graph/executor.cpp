#include "graph/executor.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <unordered_map>

#include "base/clock.h"
#include "base/error.h"
#include "base/progress.h"
#include "device/memory.h"
#include "graph/device_op.h"
#include "graph/frame_rows_cache.h"
#include "graph/host_call.h"
#include "graph/leaf_op.h"
#include "graph/op.h"
#include "graph/operation_scope.h"
#include "graph/pointwise_chains.h"
#include "graph/program.h"
#include "graph/recorded_steps.h"
#include "graph/run_numbers.h"
#include "graph/size_mismatch.h"
#include "graph/stage.h"
#include "tensor/placement.h"

namespace wende {

class Executor::Impl : public RunContext {
 public:
  Impl(const Graph& graph, std::vector<Fetch> fetches, Device device)
      : graph_(graph),
        fetches_(std::move(fetches)),
        device_(device),
        program_(Program::compile(graph, fetches_, device)),
        stages_(Stage::of(graph, program_, device)),
        rows_(program_, device),
        scratch_(device),
        host_scratch_(Device::cpu()) {
    if (!device_.is_cpu()) warn_of_host_ops(graph_, program_);
  }

  std::vector<Tensor> run(const Binding& binding, const RunOptions& options) {
    binding_ = &binding;
    options_ = &numbers_.put(options, binding, device_);
    whole_run_ = true;
    for (Stage& stage : stages_) {
      enter(stage);
      bind_leaves(stage, {});
      run_steps(stage);
      binding_ = &stage.with_found_size(*plan_, *binding_, found_sizes_);
    }
    if (options.launched) options.launched();
    HostCopies copies(device_);
    std::vector<Tensor> results;
    for (size_t f = 0; f < fetches_.size(); ++f) {
      results.push_back(fetches_[f].into.defined() ? fetches_[f].into : copies.add(value(program_.fetch_values[f])));
    }
    copies.finish();
    return results;
  }

  const Binding& last_binding() const { return *binding_; }
  size_t planned_bytes() const {
    size_t bytes = 0;
    for (const Stage& stage : stages_) bytes += stage.planned_bytes();
    return bytes;
  }
  std::string memory_text(size_t most) const {
    return plan_ == nullptr ? "" : wende::memory_text(graph_, program_, *plan_, most);
  }

  void prepare(const Binding& binding, const RunOptions& options, const std::vector<NodeId>& moving) {
    binding_ = &binding;
    options_ = &options;
    if (stages_.size() > 1) {
      throw Error(ExitStatus::kConfig, "a loop inside of a loop must know its length before it starts");
    }
    whole_run_ = false;
    enter(stages_.front());
    keep_for_recording(stages_.front().arena());
    bind_leaves(stages_.front(), {moving.begin(), moving.end()});
    leaf_values_.clear();
    kernels_.clear();
    step_signature_.clear();
    for (const Program::Step& step : program_.steps) {
      const ValuePlace& place = program_.values[static_cast<size_t>(step.outputs.at(0))];
      if (place.kind == ValuePlace::Kind::kLeaf) {
        leaf_values_[step.node] = step.outputs[0];
      } else if (place.kind != ValuePlace::Kind::kAlias || !step.copy_fetches.empty()) {
        kernels_.push_back(&step);
      }
    }
  }

  void point_leaf(NodeId leaf, const Tensor& tensor) {
    if (const auto it = leaf_values_.find(leaf); it != leaf_values_.end()) point(it->second, tensor);
  }

  void point_fetch(int fetch, const Tensor& tensor) {
    fetches_[static_cast<size_t>(fetch)].into = tensor;
    const int value = program_.fetch_values[static_cast<size_t>(fetch)];
    const ValuePlace& place = program_.values[static_cast<size_t>(value)];
    if (place.kind == ValuePlace::Kind::kFetch && place.fetch == fetch) {
      point(value, tensor);
    }
  }

  void repeat_step() {
    for (const int alias : moving_aliases_) place_alias(alias);
    if (step_signature_.empty() || reads_seed_) step_signature_ = signature(reads_seed_);
    recorded_.run(step_signature_, device_, calls_of(kernels_.size(), [this](size_t i) { return kernels_[i]; }));
  }

  void step() {
    for (const int alias : moving_aliases_) place_alias(alias);
    for (const Program::Step* step : kernels_) {
      run_step(*step);
      hand_out(*step);
    }
  }

  const Tensor& input(int index) const override { return value(step_->inputs[static_cast<size_t>(index)]); }
  const Tensor& output(int index) const override { return value(step_->outputs[static_cast<size_t>(index)]); }
  bool output_wanted(int index) const override {
    return program_.values[static_cast<size_t>(step_->outputs[static_cast<size_t>(index)])].wanted;
  }
  const Binding& binding() const override { return *binding_; }
  const FrameRows* frames() const override {
    if (frames_ != nullptr && !frames_->rows.list.defined()) depends_on_host();
    return frames_;
  }
  Device device() const override { return device_; }
  Tensor scratch(DType dtype, Shape shape) override { return scratch_.take(dtype, shape); }
  std::shared_ptr<void>& kept() override { return kept_[step_->node]; }
  const RunOptions& options() const override { return *options_; }
  uint64_t seed() const override {
    reads_seed_ = true;
    return options_->seed;
  }
  uint64_t step() const override {
    depends_on_host();
    return options_->step;
  }
  const Tensor& bound(const std::string& name) const override {
    const auto it = bound_.find(name);
    if (it == bound_.end()) throw internal_error(fmt::format("nothing is bound to '{}'", name));
    return it->second;
  }

  std::map<std::string, Tensor> bound_;
  const Graph& graph_;
  std::vector<Fetch> fetches_;
  Device device_;
  Program program_;
  std::vector<Stage> stages_;
  bool profiling_ = false;
  std::map<std::string, double> seconds_;
  double planning_seconds_ = 0;
  RecordedSteps recorded_;
  std::vector<const Program::Step*> kernels_;  ///< of prepare(): the steps that do something

 private:
  const Tensor& value(int index) const { return plan_->tensors[static_cast<size_t>(index)]; }

  /// The plan of a stage, which goes on with what the stages before it computed.
  void enter(Stage& stage) {
    const double start = thread_seconds();
    const SizedPlan* before = &stage == &stages_.front() ? nullptr : plan_;
    plan_ = &stage.plan_for(*binding_);
    if (stage.place(*plan_)) recorded_.clear();
    for (size_t position = 0; before != nullptr && position < stage.begin(); ++position) {
      for (const int index : program_.steps[position].outputs) {
        plan_->tensors[static_cast<size_t>(index)] = before->tensors[static_cast<size_t>(index)];
      }
    }
    rows_.clear();
    planning_seconds_ += thread_seconds() - start;
  }

  /// Leaves, aliases of anything, and fetches with their own memory get their tensors in each run: they may move.
  /// Those that move have no tensor until they are pointed.
  void bind_leaves(const Stage& stage, const std::set<NodeId>& moving) {
    moving_aliases_.clear();
    std::vector<char> moves(program_.values.size(), 0);
    for (size_t position = stage.begin(); position < stage.end(); ++position) {
      const Program::Step& step = program_.steps[position];
      for (const int index : step.outputs) {
        const size_t i = static_cast<size_t>(index);
        const ValuePlace& place = program_.values[i];
        if (place.kind == ValuePlace::Kind::kLeaf) {
          moves[i] = moving.count(step.node) != 0;
          plan_->tensors[i] = moves[i] ? Tensor() : leaf_tensor(step.node, plan_->shapes[i]);
        } else if (place.kind == ValuePlace::Kind::kFetch) {
          const Fetch& fetch = fetches_[static_cast<size_t>(place.fetch)];
          moves[i] = fetch.pointed;
          plan_->tensors[i] = moves[i] ? Tensor() : checked(fetch.into, plan_->shapes[i], "fetch");
        } else if (place.kind == ValuePlace::Kind::kAlias) {
          moves[i] = moves[static_cast<size_t>(place.alias_of)];
          if (moves[i]) {
            moving_aliases_.push_back(index);
            continue;
          }
          const Tensor& base = value(place.alias_of);
          if (base.elements() != plan_->shapes[i].elements()) {
            fail_step(step, size_mismatch(graph_.node(step.node), base.shape(), plan_->shapes[i]));
          }
          place_alias(index);
        }
      }
    }
  }

  void place_alias(int index) {
    const size_t i = static_cast<size_t>(index);
    const Tensor& base = value(program_.values[i].alias_of);
    plan_->tensors[i] = Tensor::wrap(base.dtype(), plan_->shapes[i], base.raw(), nullptr, device_);
  }

  void point(int index, const Tensor& tensor) {
    const size_t i = static_cast<size_t>(index);
    if (tensor.elements() != plan_->shapes[i].elements()) {
      throw internal_error(
          fmt::format("a loop points {} to a value of shape {}", tensor.shape().str(), plan_->shapes[i].str()));
    }
    plan_->tensors[i] = tensor;
  }

  Tensor leaf_tensor(NodeId node, const Shape& shape) {
    const auto& leaf = dynamic_cast<const LeafOp&>(*graph_.node(node).op);
    const Tensor tensor = checked(bound(leaf.leaf_name()), shape, leaf.leaf_name());
    // Inputs of a whole run come from anywhere; a place of their own lets recorded steps find them again.
    const bool moves = !device_.is_cpu() && whole_run_ && !leaf.is_parameter();
    return tensor.device() == device_ && !moves ? tensor : leaf_copies_[leaf.leaf_name()].copy_of(tensor, device_);
  }

  static Tensor checked(const Tensor& tensor, const Shape& shape, const std::string& name) {
    if (tensor.shape() == shape) return tensor;
    throw Error(ExitStatus::kMalformedInput,
                fmt::format("'{}' has shape {} where {} is expected", name, tensor.shape().str(), shape.str()));
  }

  [[noreturn]] void fail_step(const Program::Step& step, const std::string& message) const {
    const Node& node = graph_.node(step.node);
    Error error(ExitStatus::kMalformedInput, fmt::format("[{}] {}", node.op->name(), message));
    throw error.frame(fmt::format("in layer '{}'", graph_.scope_name(node.scope)));
  }

  void run_steps(const Stage& stage) {
    if (stages_.size() > 1 || !records_launches(device_) || options_->check_numerics || profiling_ || tracing()) {
      for (size_t position = stage.begin(); position < stage.end(); ++position) {
        run_step(program_.steps[position]);
        hand_out(program_.steps[position]);
      }
      return;
    }
    RecordedSteps::Calls calls = calls_of(program_.steps.size(), [this](size_t i) { return &program_.steps[i]; });
    calls.most_in_one = options_->on_fetch ? kMostRecordedWhenWatched : 0;
    recorded_.run(signature(true), device_, calls);
  }

  template <class StepAt>
  RecordedSteps::Calls calls_of(size_t steps, StepAt at) {
    RecordedSteps::Calls calls;
    calls.steps = steps;
    calls.run = [this, at](size_t i) { run_step(*at(i)); };
    calls.done = [this, at](size_t i) { hand_out(*at(i)); };
    calls.name = [this, at](size_t i) { return graph_.scope_name(graph_.node(at(i)->node).scope).c_str(); };
    return calls;
  }

  RecordedSteps::Signature signature(bool with_seed) {
    RecordedSteps::Signature numbers = signature_of(program_, *plan_, fetches_, *binding_, *options_->numbers);
    if (with_seed) numbers.push_back(options_->seed);
    for (const Program::Step& step : program_.steps) {
      if (step.frames_of >= 0) FrameRowsCache::add_to_signature(frame_rows(step.frames_of), numbers);
    }
    return numbers;
  }

  void run_step(const Program::Step& step) {
    const ValuePlace& first = program_.values[static_cast<size_t>(step.outputs.at(0))];
    if (first.kind == ValuePlace::Kind::kArena || first.kind == ValuePlace::Kind::kFetch) {
      run_kernel(step);
    }
    for (const int fetch : step.copy_fetches) {
      fetches_[static_cast<size_t>(fetch)].into.copy_from(value(program_.fetch_values[static_cast<size_t>(fetch)]));
    }
  }

  void hand_out(const Program::Step& step) const {
    for (const int fetch : step.ready_fetches) {
      if (options_->on_fetch) options_->on_fetch(fetch);
    }
  }

  void run_kernel(const Program::Step& step) {
    const Node& node = graph_.node(step.node);
    const std::string_view name = step.chain ? "pointwise_chain" : node.op->name();
    const OperationScope scope(device_, graph_.scope_name(node.scope), name, profiling_ ? &seconds_ : nullptr);
    step_ = &step;
    frames_ = step.frames_of < 0 ? nullptr : frame_rows(step.frames_of);
    scratch_.reset();
    try {
      step.chain ? run_chain(graph_, *step.chain, *this) : run_op(*node.op);
      if (options_->check_numerics) throw_kernel_faults(device_);
    } catch (Error& error) {
      error.frame(fmt::format("in layer '{}', operation '{}'", graph_.scope_name(node.scope), name));
      throw;
    }
    for (const int index : step.outputs) {
      const bool checked = options_->check_numerics && program_.values[static_cast<size_t>(index)].wanted;
      if (checked) require_finite(value(index), graph_.scope_name(node.scope), node.op->name());
    }
  }

  void run_op(const Op& op) {
    if (device_.is_cpu() || dynamic_cast<const DeviceOp*>(&op) != nullptr) {
      op.run(*this);
    } else {
      run_on_host(op, *this, host_scratch_, step_->inputs.size(), step_->outputs.size());
    }
  }

  /// nullptr when there is no padding.
  const FrameRows* frame_rows(int value) {
    const uint64_t dependences = host_dependences;
    const FrameRows* rows = rows_.rows(value, *binding_, whole_run_);
    if (whole_run_) host_dependences = dependences;  // the signature says how much padding there is
    return rows;
  }

  static constexpr size_t kMostRecordedWhenWatched = 64;  ///< steps: gradients must not come late to their sums
  SizedPlan* plan_ = nullptr;
  const Binding* binding_ = nullptr;
  Binding found_sizes_;  ///< the run's binding and what its SizeOps found
  const RunOptions* options_ = nullptr;
  RunNumbers numbers_;
  const Program::Step* step_ = nullptr;
  const FrameRows* frames_ = nullptr;
  FrameRowsCache rows_;
  std::map<NodeId, std::shared_ptr<void>> kept_;
  std::vector<int> moving_aliases_;               ///< values that alias a moving leaf or fetch, in running order
  std::unordered_map<NodeId, int> leaf_values_;   ///< of prepare()
  RecordedSteps::Signature step_signature_;       ///< of repeat_step() since prepare(); empty: not yet
  mutable bool reads_seed_ = false;               ///< some op did
  std::map<std::string, LeafPlace> leaf_copies_;  ///< of leaves bound to host memory, and inputs
  bool whole_run_ = true;                         ///< not the body of a loop
  Scratch scratch_;
  Scratch host_scratch_;  ///< of ops without kernels for the device
};

Executor::Executor(const Graph& graph, std::vector<Fetch> fetches, Device device)
    : impl_(std::make_unique<Impl>(graph, std::move(fetches), device)) {}
// Names on the board belong to the graph, which may go now; a watchdog of a later run still reads them.
Executor::~Executor() { progress().running("", ""); }

void Executor::bind(const std::string& name, Tensor tensor) { impl_->bound_[name] = std::move(tensor); }

std::vector<std::string> Executor::leaf_names() const {
  std::vector<std::string> names;
  for (const Program::Step& step : impl_->program_.steps) {
    if (const auto* leaf = dynamic_cast<const LeafOp*>(impl_->graph_.node(step.node).op.get())) {
      names.push_back(leaf->leaf_name());
    }
  }
  return names;
}

std::vector<Tensor> Executor::run(const Binding& binding, const RunOptions& options) {
  return impl_->run(binding, options);
}
void Executor::prepare(const Binding& binding, const RunOptions& options, const std::vector<NodeId>& moving) {
  impl_->prepare(binding, options, moving);
}
void Executor::point_leaf(NodeId leaf, const Tensor& tensor) { impl_->point_leaf(leaf, tensor); }
void Executor::point_fetch(int fetch, const Tensor& tensor) { impl_->point_fetch(fetch, tensor); }
void Executor::step() { impl_->step(); }
void Executor::repeat_step() { impl_->repeat_step(); }
size_t Executor::prepared_kernels() const { return impl_->kernels_.size(); }
const Binding& Executor::binding() const { return impl_->last_binding(); }
size_t Executor::arena_bytes() const { return impl_->planned_bytes(); }
PlannedMemory Executor::planned_memory(const Binding& binding) const {
  const SizedPlan plan = impl_->stages_.front().laid_out(binding);
  return {plan.arena_bytes(), plan.largest};
}
std::string Executor::memory_text(size_t most) const { return impl_->memory_text(most); }
int64_t Executor::recorded_launches() const { return impl_->recorded_.launches(); }
std::set<std::string> Executor::host_operations() const { return host_ops(impl_->graph_, impl_->program_); }
int64_t Executor::node_count() const { return static_cast<int64_t>(impl_->program_.steps.size()); }
void Executor::set_profiling(bool on) {
  impl_->profiling_ = on;
  impl_->seconds_.clear();
}
std::map<std::string, double> Executor::seconds_by_scope() const { return impl_->seconds_; }
double Executor::planning_seconds() const { return impl_->planning_seconds_; }

}  // namespace wende
