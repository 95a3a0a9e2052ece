#include "graph/frame_rows_cache.h"

#include <algorithm>

#include "graph/padding_analysis.h"

namespace wende {
namespace {

/// A list of `count` of `all` rows gets this length: at most 1/32 of all more.
int64_t list_size(int64_t count, int64_t all) {
  constexpr int64_t kSteps = 32;
  constexpr int64_t kAligned = 8;  // products like such sizes
  const int64_t step = std::max((all / kSteps + kAligned - 1) / kAligned * kAligned, kAligned);
  return std::min((count + step - 1) / step * step, all);
}

}  // namespace

const FrameRows* FrameRowsCache::rows(int value, const Binding& binding, bool on_device) {
  const std::vector<int>& dims = program_.values[static_cast<size_t>(value)].dims;
  const Dims key{dims[0], dims[1]};
  const auto [it, fresh] = rows_.try_emplace(key);
  FrameRows& frames = it->second;
  const auto dim = [&](size_t axis) -> const Dim& { return program_.dims[static_cast<size_t>(dims[axis])]; };
  const Shape shape = binding.shape({dim(0), dim(1)});
  const int64_t all = shape[0] * shape[1];
  if (fresh) {
    const bool time_major = dim(1).is_batch();
    frames.rows = rows_within(binding.lengths(dim(time_major ? 0 : 1)), shape, time_major);
    const bool padding = static_cast<int64_t>(frames.rows.size()) < all;
    if (padding && on_device && !device_.is_cpu()) put_on_device(key, all, frames.rows);
  }
  return static_cast<int64_t>(frames.rows.size()) == all ? nullptr : &frames;
}

void FrameRowsCache::put_on_device(Dims dims, int64_t all, cpu::Rows& rows) {
  const auto count = static_cast<int64_t>(rows.size());
  const int64_t size = list_size(count, all);
  std::vector<int64_t> numbers(static_cast<size_t>(all + size), -1);
  for (int64_t i = 0; i < count; ++i) {
    const int64_t row = rows[static_cast<size_t>(i)];
    numbers[static_cast<size_t>(row)] = i;
    numbers[static_cast<size_t>(all + i)] = row;
  }
  Tensor& memory = memory_[dims];
  if (!memory.defined() || memory.elements() < 2 * all) {
    memory = Tensor();
    memory = Tensor::empty(DType::kInt64, Shape{3 * all}, device_);
  }
  memory.sliced(0, 0, all + size).copy_from(Tensor::of<int64_t>(numbers, Shape{all + size}));
  rows.places = memory.sliced(0, 0, all);
  rows.list = memory.sliced(0, all, all + size);
}

void FrameRowsCache::add_to_signature(const FrameRows* frames, std::vector<uint64_t>& signature) {
  if (frames == nullptr) return signature.push_back(0);
  const bool has_list = frames->rows.list.defined();
  signature.push_back(has_list ? static_cast<uint64_t>(frames->rows.list.elements()) : 1);
  signature.push_back(has_list ? reinterpret_cast<uint64_t>(frames->rows.list.raw()) : 0);
}

}  // namespace wende
