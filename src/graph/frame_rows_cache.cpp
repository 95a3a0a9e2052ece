#include "graph/frame_rows_cache.h"

#include "graph/padding_analysis.h"

namespace wende {

const FrameRows* FrameRowsCache::rows(int value, const Binding& binding) {
  const std::vector<int>& dims = program_.values[static_cast<size_t>(value)].dims;
  const auto [it, fresh] = rows_.try_emplace({dims[0], dims[1]});
  FrameRows& frames = it->second;
  const auto dim = [&](size_t axis) -> const Dim& { return program_.dims[static_cast<size_t>(dims[axis])]; };
  const Shape shape = binding.shape({dim(0), dim(1)});
  if (fresh) {
    const bool time_major = dim(1).is_batch();
    frames.rows = rows_within(binding.lengths(dim(time_major ? 0 : 1)), shape, time_major);
  }
  return static_cast<int64_t>(frames.rows.size()) == shape[0] * shape[1] ? nullptr : &frames;
}

}  // namespace wende
