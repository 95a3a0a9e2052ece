#include "optim/device_update.h"

#include <algorithm>

#include "kernels/pointwise.h"
#include "optim/update_kernels.h"
#include "tensor/placement.h"

namespace wende {

DeviceUpdate::DeviceUpdate(const ParamStore& params, const Optimizer& optimizer)
    : params_(params), pieces_(Tensor::empty(DType::kInt64, Shape{0, 2})) {
  const Tensor values = params.flat_values();
  for (const OptimizerSlot& slot : optimizer.slots()) {
    slots_.push_back(Tensor::empty(DType::kFloat32, values.shape(), values.device()));
    WENDE_ON_DEVICE(values.device(), fill(slots_.back(), slot.start));
  }
}

Tensor DeviceUpdate::slot(size_t i, const std::string& param) const {
  const auto begin = static_cast<int64_t>(params_.offset(param));
  const Shape& shape = params_.value(param).shape();
  return slots_[i].sliced(0, begin, begin + shape.elements()).reshaped(shape);
}

void DeviceUpdate::choose(const std::vector<std::string>& params) {
  if (params == chosen_) {
    return;
  }
  chosen_ = params;
  std::vector<int64_t> pieces;
  for (const std::string& param : params) {
    const auto begin = static_cast<int64_t>(params_.offset(param));
    const int64_t count = params_.value(param).elements();
    for (int64_t done = 0; done < count; done += cuda::kUpdatePiece) {
      pieces.push_back(begin + done);
      pieces.push_back(std::min(cuda::kUpdatePiece, count - done));
    }
  }
  pieces_ = on(params_.flat_values().device(),
               Tensor::of<int64_t>(pieces, Shape{static_cast<int64_t>(pieces.size() / 2), 2}));
}

double DeviceUpdate::sum_of_squares() const {
  return empty() ? 0 : cuda::sum_of_squares(pieces_, params_.flat_gradients());
}

void DeviceUpdate::step(const UpdateFormula& formula, float gradient_factor) const {
  if (!empty()) {
    cuda::update_weights(formula, pieces_, params_.flat_values(), params_.flat_gradients(), slots_, gradient_factor);
  }
}

}  // namespace wende
