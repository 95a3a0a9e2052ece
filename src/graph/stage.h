#pragma once

#include <map>
#include <memory>
#include <vector>

#include "device/memory.h"
#include "graph/binding.h"
#include "graph/program.h"
#include "graph/size_op.h"
#include "graph/sized_plan.h"

namespace wende {

/// The steps of a program up to and with one that finds out a size (SizeOp), or the rest. Only then the sizes of the
/// next stage are known, so each stage has plans and an arena of its own. Most programs have one stage.
class Stage {
 public:
  static std::vector<Stage> of(const Graph& graph, const Program& program, Device device);

  size_t begin() const { return begin_; }
  size_t end() const { return end_; }
  /// What the last step found out holds for the stages after it: `found`, or the binding itself if it is no SizeOp.
  const Binding& with_found_size(const SizedPlan& plan, const Binding& binding, Binding& found) const;
  size_t planned_bytes() const { return planned_bytes_; }  ///< of the last run
  /// The plan for these sizes; kept for the next time.
  SizedPlan& plan_for(const Binding& binding);
  SizedPlan laid_out(const Binding& binding) const;
  /// Gives the plan memory; true if that of earlier plans is gone.
  bool place(SizedPlan& plan);
  const std::shared_ptr<Buffer>& arena() const { return arena_; }

 private:
  Stage(const Graph& graph, const Program& program, size_t begin, size_t end, Device device);

  const SizeOp* size_op() const;  ///< the last step's, if it is one
  /// Of the program's dims, then the numbers of frames of its packed axes; -1: not of this stage.
  std::vector<int64_t> sizes(const Binding& binding) const;

  static constexpr size_t kMaxPlans = 256;
  const Graph* graph_;
  const Program* program_;
  size_t begin_, end_;
  Device device_;
  std::vector<char> reads_dim_;  ///< by dim of the program
  std::map<std::vector<int64_t>, SizedPlan> plans_;
  std::shared_ptr<Buffer> arena_;
  size_t planned_bytes_ = 0;
};

}  // namespace wende
