#include "graph/stage.h"

#include <algorithm>

#include "graph/padding_analysis.h"
#include "tensor/placement.h"

namespace wende {

Stage::Stage(const Graph& graph, const Program& program, size_t begin, size_t end, Device device)
    : graph_(&graph),
      program_(&program),
      begin_(begin),
      end_(end),
      device_(device),
      reads_dim_(program.dims.size(), 0) {
  for (size_t position = begin; position < end; ++position) {
    for (const int index : program.steps[position].outputs) {
      for (const int dim : program.values[static_cast<size_t>(index)].dims) {
        reads_dim_[static_cast<size_t>(dim)] = 1;
      }
    }
  }
}

std::vector<Stage> Stage::of(const Graph& graph, const Program& program, Device device) {
  std::vector<Stage> stages;
  size_t begin = 0;
  for (size_t position = 0; position < program.steps.size(); ++position) {
    if (dynamic_cast<const SizeOp*>(graph.node(program.steps[position].node).op.get()) != nullptr) {
      stages.push_back(Stage(graph, program, begin, position + 1, device));
      begin = position + 1;
    }
  }
  if (begin < program.steps.size() || stages.empty()) {
    stages.push_back(Stage(graph, program, begin, program.steps.size(), device));
  }
  return stages;
}

std::vector<int64_t> Stage::sizes(const Binding& binding) const {
  std::vector<int64_t> result;
  for (size_t i = 0; i < reads_dim_.size(); ++i) {
    result.push_back(reads_dim_[i] != 0 ? binding.size(program_->dims[i]) : -1);
  }
  for (const auto& [first, second] : program_->packed_axes) {
    const auto at = [](int dim) { return static_cast<size_t>(dim); };
    if (reads_dim_[at(first)] == 0 || reads_dim_[at(second)] == 0) {
      result.push_back(-1);
      continue;
    }
    const bool time_major = program_->dims[at(second)].is_batch();
    result.push_back(frames_within(binding.lengths(program_->dims[at(time_major ? first : second)]),
                                   Shape{result[at(first)], result[at(second)]}, time_major));
  }
  return result;
}

SizedPlan Stage::laid_out(const Binding& binding) const {
  SizedPlan plan;
  plan.lay_out(*graph_, *program_, sizes(binding), begin_, end_);
  return plan;
}

SizedPlan& Stage::plan_for(const Binding& binding) {
  const std::vector<int64_t> key = sizes(binding);
  if (plans_.size() > kMaxPlans && plans_.count(key) == 0) {
    plans_.clear();
  }
  const auto [it, fresh] = plans_.try_emplace(key);
  if (fresh) {
    it->second.lay_out(*graph_, *program_, key, begin_, end_);
  }
  planned_bytes_ = it->second.bytes;
  return it->second;
}

bool Stage::place(SizedPlan& plan) {
  const bool fresh = arena_ == nullptr || arena_->bytes() < plan.bytes;
  if (fresh) {
    arena_.reset();  // before the new one is taken: peak memory is one arena
    arena_ = Buffer::allocate(plan.arena_bytes(), device_);
  }
  if (plan.base == arena_->data()) {
    return fresh;
  }
  plan.base = arena_->data();
  plan.tensors.assign(program_->values.size(), Tensor());
  for (size_t position = begin_; position < end_; ++position) {
    for (const int index : program_->steps[position].outputs) {
      const auto i = static_cast<size_t>(index);
      if (program_->values[i].kind == ValuePlace::Kind::kArena) {
        plan.tensors[i] =
            Tensor::wrap(program_->dtypes[i], plan.shapes[i], arena_->data() + plan.offsets[i], nullptr, device_);
      }
    }
  }
  return fresh;
}

const SizeOp* Stage::size_op() const {
  return begin_ == end_ ? nullptr : dynamic_cast<const SizeOp*>(graph_->node(program_->steps[end_ - 1].node).op.get());
}

const Binding& Stage::with_found_size(const SizedPlan& plan, const Binding& binding, Binding& found) const {
  const SizeOp* op = size_op();
  if (op == nullptr) return binding;
  const int index = program_->steps[end_ - 1].outputs[0];
  const Tensor size = on_host(plan.tensors[static_cast<size_t>(index)]);  // a number, or lengths
  found = Binding(binding);
  if (size.rank() == 0) {
    found.bind(op->sized(), std::max<int64_t>(size.data<int32_t>()[0], 0));
  } else {
    found.bind_lengths(op->sized(), size.to_vector<int32_t>());
  }
  return found;
}

}  // namespace wende
