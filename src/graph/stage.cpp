#include "graph/stage.h"

#include <algorithm>

#include "graph/size_op.h"

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

SizedPlan& Stage::plan_for(const Binding& binding) {
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < reads_dim_.size(); ++i) {
    sizes.push_back(reads_dim_[i] != 0 ? binding.size(program_->dims[i]) : -1);
  }
  if (plans_.size() > kMaxPlans && plans_.count(sizes) == 0) {
    plans_.clear();
  }
  const auto [it, fresh] = plans_.try_emplace(sizes);
  if (fresh) {
    it->second.lay_out(*graph_, *program_, sizes, begin_, end_);
  }
  planned_bytes_ = it->second.bytes;
  return it->second;
}

void Stage::place(SizedPlan& plan) {
  if (arena_ == nullptr || arena_->bytes() < plan.bytes) {
    arena_.reset();  // before the new one is taken: peak memory is one arena
    // Some more than needed, which costs nothing until it is touched: batches a little longer need no new arena.
    arena_ = Buffer::allocate(std::max<size_t>(plan.bytes + plan.bytes / 8, 64), device_);
  }
  if (plan.base == arena_->data()) {
    return;
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
}

}  // namespace wende
