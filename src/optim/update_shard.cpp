#include "optim/update_shard.h"

#include <algorithm>

#include "tensor/placement.h"

namespace wende {

UpdateShard::UpdateShard(const ParamStore& params, Communicator* communicator)
    : params_(params), communicator_(communicator) {
  const size_t count = static_cast<size_t>(params.flat_gradients().elements()) - ParamStore::extra_floats();
  range_ = whole() ? ShardRange{0, count} : shard_range(count, communicator->size(), communicator->rank());
}

ShardRange UpdateShard::part(const std::string& param) const {
  const size_t offset = params_.offset(param);
  const auto count = static_cast<size_t>(params_.value(param).elements());
  const auto within = [&](size_t place) { return std::clamp(place, offset, offset + count) - offset; };
  return {within(range_.begin), within(range_.end)};
}

double UpdateShard::sum_over_ranks(double value) const {
  if (!whole()) communicator_->all_sum(&value, 1);
  return value;
}

Tensor UpdateShard::gathered(const std::string& param, const Tensor& own) const {
  if (whole()) return on_host(own);
  const Tensor all = Tensor::zeros(DType::kFloat32, params_.value(param).shape());
  const ShardRange range = part(param);
  const std::vector<float> numbers = on_host(own).to_vector<float>();
  std::copy(numbers.begin(), numbers.end(), all.data<float>() + range.begin);
  communicator_->all_sum(all.data<float>(), static_cast<size_t>(all.elements()));
  return all;
}

Tensor UpdateShard::part_of(const std::string& param, const Tensor& saved) const {
  if (whole() || !(saved.shape() == params_.value(param).shape()) || saved.dtype() != DType::kFloat32) return saved;
  const ShardRange range = part(param);
  return saved.reshaped(Shape{saved.elements()})
      .sliced(0, static_cast<int64_t>(range.begin), static_cast<int64_t>(range.end));
}

}  // namespace wende
