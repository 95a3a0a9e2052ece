#include "graph/executor.h"

#include <fmt/core.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>

#include "base/error.h"
#include "device/memory.h"
#include "graph/device_op.h"
#include "graph/host_call.h"
#include "graph/leaf_op.h"
#include "graph/op.h"
#include "graph/op_scratch.h"
#include "graph/planner.h"
#include "graph/program.h"

namespace wende {

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }
double thread_seconds() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

bool all_finite(const Tensor& tensor) {
  if (tensor.dtype() != DType::kFloat32) {
    return true;
  }
  const Tensor local = on_host(tensor);
  const float* x = local.data<float>();
  float sum = 0;  // x * 0 is NaN exactly for non-finite x; no branch in the loop
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    sum += x[i] * 0.0f;
  }
  return sum == 0.0f;
}

/// Everything about a run that depends on sizes only.
struct SizedPlan {
  std::vector<Shape> shapes;    ///< by value
  std::vector<size_t> offsets;  ///< by value; arena values only
  size_t bytes = 0;
  std::vector<Tensor> tensors;  ///< by value, views of the arena at `base`
  const std::byte* base = nullptr;
};

}  // namespace

class Executor::Impl : public RunContext {
 public:
  Impl(const Graph& graph, std::vector<Fetch> fetches, Device device)
      : graph_(graph),
        fetches_(std::move(fetches)),
        device_(device),
        program_(Program::compile(graph, fetches_)),
        scratch_(device),
        host_scratch_(Device::cpu()) {}

  std::vector<Tensor> run(const Binding& binding, const RunOptions& options) {
    binding_ = &binding;
    options_ = &options;
    plan_ = &plan_for(binding);
    bind_leaves();
    rows_.clear();
    for (const Program::Step& step : program_.steps) {
      run_step(step);
    }
    throw_kernel_faults(device_);
    std::vector<Tensor> results;
    for (size_t f = 0; f < fetches_.size(); ++f) {
      results.push_back(fetches_[f].into.defined() ? fetches_[f].into : on_host(value(program_.fetch_values[f])));
    }
    return results;
  }

  std::string memory_text(size_t most) const {
    std::multimap<size_t, std::string> lines;
    for (size_t position = 0; plan_ != nullptr && position < program_.steps.size(); ++position) {
      const Program::Step& step = program_.steps[position];
      const Node& node = graph_.node(step.node);
      for (const int index : step.outputs) {
        const ValuePlace& place = program_.values[static_cast<size_t>(index)];
        if (place.kind != ValuePlace::Kind::kArena) continue;
        const Tensor& tensor = value(index);
        lines.emplace(
            tensor.bytes(),
            fmt::format("{:8.1f} MB at {:8.1f}, steps {:3} to {:3}, {}/{} {}\n",
                        static_cast<double>(tensor.bytes()) * 1e-6,
                        static_cast<double>(plan_->offsets[static_cast<size_t>(index)]) * 1e-6, position,
                        place.last_use, graph_.scope_name(node.scope), node.op->name(), tensor.shape().str()));
      }
    }
    std::string text;
    for (auto it = lines.rbegin(); it != lines.rend() && most > 0; ++it, --most) text += it->second;
    return text;
  }

  const Tensor& input(int index) const override {
    return host_call_ != nullptr ? host_call_->input(index) : value(step_->inputs[static_cast<size_t>(index)]);
  }
  const Tensor& output(int index) const override {
    return host_call_ != nullptr ? host_call_->output(index) : value(step_->outputs[static_cast<size_t>(index)]);
  }
  bool output_wanted(int index) const override {
    return program_.values[static_cast<size_t>(step_->outputs[static_cast<size_t>(index)])].wanted;
  }
  const Binding& binding() const override { return *binding_; }
  const FrameRows* frames() const override { return frames_; }
  Device device() const override { return host_call_ != nullptr ? Device::cpu() : device_; }
  Tensor scratch(DType dtype, Shape shape) override {
    return (host_call_ != nullptr ? host_scratch_ : scratch_).take(dtype, shape);
  }
  uint64_t seed() const override { return options_->seed; }
  uint64_t step() const override { return options_->step; }
  const Tensor& bound(const std::string& name) const override {
    const auto it = bound_.find(name);
    if (it == bound_.end()) {
      throw internal_error(fmt::format("nothing is bound to '{}'", name));
    }
    return it->second;
  }

  std::map<std::string, Tensor> bound_;
  const Graph& graph_;
  std::vector<Fetch> fetches_;
  Device device_;
  Program program_;
  bool profiling_ = false;
  std::map<std::string, double> seconds_;
  double planning_seconds_ = 0;
  std::shared_ptr<Buffer> arena_;

 private:
  const Tensor& value(int index) const { return plan_->tensors[static_cast<size_t>(index)]; }

  SizedPlan& plan_for(const Binding& binding) {
    const double start = now();
    std::vector<int64_t> sizes;
    for (const Dim& dim : program_.dims) {
      sizes.push_back(binding.size(dim));
    }
    if (plans_.size() > kMaxPlans && plans_.count(sizes) == 0) {
      plans_.clear();
    }
    const auto [it, fresh] = plans_.try_emplace(sizes);
    if (fresh) {
      make_plan(it->second, sizes);
    }
    if (arena_ == nullptr || arena_->bytes() < it->second.bytes) {
      arena_.reset();  // before the new one is taken: peak memory is one arena
      arena_ = Buffer::allocate(std::max<size_t>(it->second.bytes, 64), device_);
    }
    if (it->second.base != arena_->data()) {
      place_tensors(it->second);
    }
    planning_seconds_ += now() - start;
    return it->second;
  }

  void make_plan(SizedPlan& plan, const std::vector<int64_t>& sizes) {
    std::vector<Lifetime> lifetimes;
    std::vector<int> piece_of(program_.values.size(), -1);
    plan.shapes.resize(program_.values.size());
    plan.offsets.assign(program_.values.size(), 0);
    for (size_t position = 0; position < program_.steps.size(); ++position) {
      const Program::Step& step = program_.steps[position];
      for (const int index : step.outputs) {
        const ValuePlace& place = program_.values[static_cast<size_t>(index)];
        Shape& shape = plan.shapes[static_cast<size_t>(index)];
        for (const int dim : place.dims) {
          shape.push_back(sizes[static_cast<size_t>(dim)]);
        }
        if (place.kind != ValuePlace::Kind::kArena) {
          continue;
        }
        if (index == step.in_place_output) {
          const int piece = piece_of[static_cast<size_t>(step.in_place_input)];
          lifetimes[static_cast<size_t>(piece)].end =
              std::max(lifetimes[static_cast<size_t>(piece)].end, place.last_use);
          piece_of[static_cast<size_t>(index)] = piece;
          continue;
        }
        piece_of[static_cast<size_t>(index)] = static_cast<int>(lifetimes.size());
        const size_t bytes =
            static_cast<size_t>(shape.elements()) * size_of(program_.dtypes[static_cast<size_t>(index)]);
        lifetimes.push_back({bytes, static_cast<int>(position), place.last_use});
      }
    }
    const ArenaPlan arena = plan_arena(lifetimes);
    plan.bytes = arena.bytes;
    for (size_t i = 0; i < piece_of.size(); ++i) {
      if (piece_of[i] >= 0) {
        plan.offsets[i] = arena.offsets[static_cast<size_t>(piece_of[i])];
      }
    }
  }

  void place_tensors(SizedPlan& plan) {
    plan.base = arena_->data();
    plan.tensors.assign(program_.values.size(), Tensor());
    for (size_t i = 0; i < program_.values.size(); ++i) {
      if (program_.values[i].kind == ValuePlace::Kind::kArena) {
        plan.tensors[i] =
            Tensor::wrap(program_.dtypes[i], plan.shapes[i], arena_->data() + plan.offsets[i], nullptr, device_);
      }
    }
  }

  /// Leaves, aliases of anything, and fetches with their own memory get their tensors in each run: they may move.
  void bind_leaves() {
    for (const Program::Step& step : program_.steps) {
      for (const int index : step.outputs) {
        const size_t i = static_cast<size_t>(index);
        const ValuePlace& place = program_.values[i];
        if (place.kind == ValuePlace::Kind::kLeaf) {
          plan_->tensors[i] = leaf_tensor(step.node, plan_->shapes[i]);
        } else if (place.kind == ValuePlace::Kind::kFetch) {
          plan_->tensors[i] = checked(fetches_[static_cast<size_t>(place.fetch)].into, plan_->shapes[i], "fetch");
        } else if (place.kind == ValuePlace::Kind::kAlias) {
          const Tensor& base = value(place.alias_of);
          if (base.elements() != plan_->shapes[i].elements()) {
            fail_step(step, fmt::format("{} elements of {} cannot take shape {}", base.elements(), base.shape().str(),
                                        plan_->shapes[i].str()));
          }
          plan_->tensors[i] = Tensor::wrap(base.dtype(), plan_->shapes[i], base.raw(), nullptr, device_);
        }
      }
    }
  }

  Tensor leaf_tensor(NodeId node, const Shape& shape) {
    const std::string& name = dynamic_cast<const LeafOp&>(*graph_.node(node).op).leaf_name();
    const Tensor tensor = checked(bound(name), shape, name);
    return tensor.device() == device_ ? tensor : leaf_copies_[name] = on(device_, tensor);
  }

  static Tensor checked(const Tensor& tensor, const Shape& shape, const std::string& name) {
    if (!(tensor.shape() == shape)) {
      throw Error(ExitStatus::kMalformedInput,
                  fmt::format("'{}' has shape {} where {} is expected", name, tensor.shape().str(), shape.str()));
    }
    return tensor;
  }

  [[noreturn]] void fail_step(const Program::Step& step, const std::string& message) const {
    const Node& node = graph_.node(step.node);
    Error error(ExitStatus::kMalformedInput, fmt::format("[{}] {}", node.op->name(), message));
    throw error.frame(fmt::format("in layer '{}'", graph_.scope_name(node.scope)));
  }

  void run_step(const Program::Step& step) {
    const ValuePlace& first = program_.values[static_cast<size_t>(step.outputs.at(0))];
    if (first.kind == ValuePlace::Kind::kArena || first.kind == ValuePlace::Kind::kFetch) {
      run_kernel(step);
    }
    for (const int fetch : step.copy_fetches) {
      fetches_[static_cast<size_t>(fetch)].into.copy_from(value(program_.fetch_values[static_cast<size_t>(fetch)]));
    }
    if (options_->on_fetch) {
      for (const int fetch : step.ready_fetches) {
        options_->on_fetch(fetch);
      }
    }
  }

  void run_kernel(const Program::Step& step) {
    const Node& node = graph_.node(step.node);
    const double start = profiling_ ? thread_seconds() : 0;
    step_ = &step;
    frames_ = step.frames_of < 0 ? nullptr : frame_rows(step.frames_of);
    scratch_.reset();
    try {
      run_op(*node.op);
    } catch (Error& error) {
      error.frame(fmt::format("in layer '{}', operation '{}'", graph_.scope_name(node.scope), node.op->name()));
      throw;
    }
    if (profiling_) {
      seconds_[fmt::format("{}/{}", graph_.scope_name(node.scope), node.op->name())] += thread_seconds() - start;
    }
    if (options_->check_numerics) {
      check_numerics(step, node);
    }
  }

  void run_op(const Op& op) {
    if (device_.is_cpu() || dynamic_cast<const DeviceOp*>(&op) != nullptr) {
      return op.run(*this);
    }
    HostCall call;
    for (const int index : step_->inputs) {
      call.add_input(value(index));
    }
    for (const int index : step_->outputs) {
      call.add_output(value(index), program_.values[static_cast<size_t>(index)].wanted);
    }
    host_scratch_.reset();
    host_call_ = &call;
    try {
      op.run(*this);
    } catch (...) {
      host_call_ = nullptr;
      throw;
    }
    host_call_ = nullptr;
    call.write_back();
  }

  void check_numerics(const Program::Step& step, const Node& node) const {
    for (const int index : step.outputs) {
      if (program_.values[static_cast<size_t>(index)].wanted && !all_finite(value(index))) {
        throw Error(ExitStatus::kNonFinite,
                    fmt::format("layer '{}', operation '{}': first non-finite value, shape {}",
                                graph_.scope_name(node.scope), node.op->name(), value(index).shape().str()));
      }
    }
  }

  /// nullptr when there is no padding.
  const FrameRows* frame_rows(int value) {
    const std::vector<int>& dims = program_.values[static_cast<size_t>(value)].dims;
    const auto [it, fresh] = rows_.try_emplace({dims[0], dims[1]});
    FrameRows& frames = it->second;
    const Shape& shape = plan_->shapes[static_cast<size_t>(value)];
    if (fresh) {
      const bool time_major = program_.dims[static_cast<size_t>(dims[1])].is_batch();
      const std::vector<int32_t> lengths =
          binding_->lengths(program_.dims[static_cast<size_t>(dims[time_major ? 0 : 1])]);
      for (int64_t row = 0; row < shape[0] * shape[1]; ++row) {
        const int64_t outer = row / shape[1];
        const int64_t inner = row % shape[1];
        if ((time_major ? outer : inner) < lengths.at(static_cast<size_t>(time_major ? inner : outer))) {
          frames.rows.push_back(row);
        }
      }
    }
    return static_cast<int64_t>(frames.rows.size()) == shape[0] * shape[1] ? nullptr : &frames;
  }

  static constexpr size_t kMaxPlans = 256;
  std::map<std::vector<int64_t>, SizedPlan> plans_;
  SizedPlan* plan_ = nullptr;
  const Binding* binding_ = nullptr;
  const RunOptions* options_ = nullptr;
  const Program::Step* step_ = nullptr;
  const FrameRows* frames_ = nullptr;
  std::map<std::pair<int, int>, FrameRows> rows_;  ///< of this run, by the two leading dims
  OpScratch scratch_;
  OpScratch host_scratch_;
  HostCall* host_call_ = nullptr;              ///< while an op without kernels for the device runs
  std::map<std::string, Tensor> leaf_copies_;  ///< on the device, of leaves bound to host memory
};

Executor::Executor(const Graph& graph, std::vector<Fetch> fetches, Device device)
    : impl_(std::make_unique<Impl>(graph, std::move(fetches), device)) {}
Executor::~Executor() = default;

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
size_t Executor::arena_bytes() const { return impl_->arena_ ? impl_->arena_->bytes() : 0; }
std::string Executor::memory_text(size_t most) const { return impl_->memory_text(most); }
int64_t Executor::node_count() const { return static_cast<int64_t>(impl_->program_.steps.size()); }
void Executor::set_profiling(bool on) {
  impl_->profiling_ = on;
  impl_->seconds_.clear();
}
std::map<std::string, double> Executor::seconds_by_scope() const { return impl_->seconds_; }
double Executor::planning_seconds() const { return impl_->planning_seconds_; }

}  // namespace wende
