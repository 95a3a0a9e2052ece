#include "optim/device_update.h"

#include <algorithm>

#include "kernels/pointwise.h"
#include "optim/update_kernels.h"
#include "tensor/placement.h"

namespace wende {

DeviceUpdate::DeviceUpdate(const ParamStore& params, const UpdateShard& shard, const Optimizer& optimizer)
    : params_(params), shard_(shard), pieces_(Tensor::empty(DType::kInt64, Shape{0, 2})) {
  const Tensor values = params.flat_values();
  for (const OptimizerSlot& slot : optimizer.slots()) {
    const Shape shape{static_cast<int64_t>(shard.range().size())};
    slots_.push_back(Tensor::empty(DType::kFloat32, shape, values.device()));
    WENDE_ON_DEVICE(values.device(), fill(slots_.back(), slot.start));
  }
}

Tensor DeviceUpdate::slot(size_t i, const std::string& param) const {
  const ShardRange part = shard_.part(param);
  const size_t begin = params_.offset(param) + part.begin - shard_.range().begin;
  const Tensor flat = part.size() == 0
                          ? slots_[i].sliced(0, 0, 0)
                          : slots_[i].sliced(0, static_cast<int64_t>(begin), static_cast<int64_t>(begin + part.size()));
  return shard_.whole() ? flat.reshaped(params_.value(param).shape()) : flat;
}

void DeviceUpdate::choose(std::vector<Choice> choices) {
  if (choices == chosen_) {
    return;
  }
  chosen_ = std::move(choices);
  std::vector<int64_t> pieces;
  for (const auto& [param, ranges] : chosen_) {
    for (const ShardRange& range : ranges) {
      const auto begin = static_cast<int64_t>(params_.offset(param) + shard_.part(param).begin + range.begin);
      const auto count = static_cast<int64_t>(range.size());
      for (int64_t done = 0; done < count; done += cuda::kUpdatePiece) {
        pieces.push_back(begin + done);
        pieces.push_back(std::min(cuda::kUpdatePiece, count - done));
      }
    }
  }
  pieces_ = on(params_.flat_values().device(),
               Tensor::of<int64_t>(pieces, Shape{static_cast<int64_t>(pieces.size() / 2), 2}));
}

void DeviceUpdate::step(const UpdateFormula& formula, const Tensor& gradients, float gradient_factor) const {
  if (empty()) return;
  std::vector<Tensor> slots;  // places in the whole block, of which the kernel touches this rank's range
  for (const Tensor& slot : slots_) {
    std::byte* first = slot.raw() - shard_.range().begin * sizeof(float);
    slots.push_back(Tensor::wrap(DType::kFloat32, slot.shape(), first, nullptr, slot.device()));
  }
  cuda::update_weights(formula, pieces_, params_.flat_values(), gradients, slots, gradient_factor);
}

}  // namespace wende
