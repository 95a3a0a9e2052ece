#include "graph/frame_rows_cache.h"

#include "graph/padding_analysis.h"

namespace wende {

const FrameRows* FrameRowsCache::rows(int value, const SizedPlan& plan, const Binding& binding) {
  const std::vector<int>& dims = program_.values[static_cast<size_t>(value)].dims;
  const auto [it, fresh] = rows_.try_emplace({dims[0], dims[1]});
  FrameRows& frames = it->second;
  const Shape shape = plan.tensors[static_cast<size_t>(value)].shape();
  if (fresh) {
    const bool time_major = program_.dims[static_cast<size_t>(dims[1])].is_batch();
    const Dim& time = program_.dims[static_cast<size_t>(dims[time_major ? 0 : 1])];
    frames.rows = rows_within(binding.lengths(time), shape, time_major);
  }
  return static_cast<int64_t>(frames.rows.size()) == shape[0] * shape[1] ? nullptr : &frames;
}

}  // namespace wende
