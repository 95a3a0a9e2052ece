#include "graph/run_numbers.h"

#include <algorithm>
#include <vector>

#include "graph/row_identity.h"
#include "tensor/placement.h"

namespace wende {

const RunOptions& RunNumbers::put(const RunOptions& options, const Binding& binding, Device device) {
  if (device.is_cpu()) return options;
  const cpu::RandomRows rows = rows_of(binding);
  std::vector<int64_t> numbers{static_cast<int64_t>(options.step)};
  std::vector<int64_t> pieces;
  numbers.push_back(0);
  for (const auto& row : rows) {
    for (const cpu::RandomPiece& piece : row) {
      pieces.insert(pieces.end(), {static_cast<int64_t>(piece.id), piece.offset});
    }
    numbers.push_back(static_cast<int64_t>(pieces.size() / 2));
  }
  const auto begins = static_cast<int64_t>(rows.size()) + 1;
  numbers.insert(numbers.end(), pieces.begin(), pieces.end());
  const auto count = static_cast<int64_t>(numbers.size());
  if (!memory_.defined() || memory_.elements() < count) {
    memory_ = Tensor();
    memory_ = Tensor::empty(DType::kInt64, Shape{std::max<int64_t>(2 * count, 1024)}, device);
  }
  memory_.sliced(0, 0, count).copy_from(Tensor::of<int64_t>(numbers, Shape{count}));
  const auto* at = device_data<int64_t>(memory_);
  random_ = {.step = at, .begins = at + 1, .pieces = at + 1 + begins, .rows = begins - 1};
  options_ = options;
  options_.numbers = this;
  return options_;
}

}  // namespace wende
