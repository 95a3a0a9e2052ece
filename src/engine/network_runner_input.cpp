// What a run of a network reads: a batch, which may be on its way to the GPU already, and states that the run before
// left.
#include <fmt/core.h>

#include <algorithm>

#include "base/error.h"
#include "engine/network_runner.h"
#include "graph/row_identity.h"

namespace wende {

void NetworkRunner::stage(const Batch& batch) {
  std::vector<std::pair<const std::byte*, size_t>> pieces;
  std::vector<Tensor> tensors;
  for (const std::string& key : network_.used_data_keys()) {
    const auto found = batch.data.find(key);
    const bool as_it_is = network_.extern_data().keys.at(key).batch_axis() <= 0;
    if (found != batch.data.end() && as_it_is && found->second.bytes() > 0) {
      pieces.emplace_back(found->second.raw(), found->second.bytes());
      tensors.push_back(found->second);
    }
  }
  if (!copies_) {
    copies_ = std::make_unique<StagedCopies>();
  }
  const StagedCopies::Staged started = copies_->start(pieces);
  staged_slot_ = started.slot;
  staged_.clear();
  for (size_t i = 0; i < pieces.size(); ++i) {
    staged_[pieces[i].first] = {tensors[i], started.addresses[i]};
  }
}

/// The tensor, or its copy on the GPU if that is under way.
Tensor NetworkRunner::staged(const Tensor& tensor) {
  const auto found = staged_.find(tensor.raw());
  if (staged_slot_ < 0 || found == staged_.end()) {
    return tensor;
  }
  if (used_slot_ != staged_slot_) {
    used_slot_ = staged_slot_;
    copies_->use(used_slot_);
  }
  return Tensor::wrap(tensor.dtype(), tensor.shape(), found->second.second, nullptr, store_.flat_values().device());
}

void NetworkRunner::bind_batch(const Batch& batch) {
  used_slot_ = -1;
  binding_.clear();
  for (const std::string& key : network_.used_data_keys()) {
    const Data& data = network_.extern_data().keys.at(key);
    const auto found = batch.data.find(key);
    if (found == batch.data.end()) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("the network uses the data key '{}', which the dataset does not have", key));
    }
    Tensor tensor = found->second;
    const int batch_axis = data.batch_axis();
    if (batch_axis > 0) {  // batches are batch-major; this key wants its batch axis elsewhere
      std::vector<int> axes;
      for (int axis = 1; axis < tensor.rank(); ++axis) {
        axes.push_back(axis);
      }
      axes.insert(axes.begin() + batch_axis, 0);
      tensor = tensor.permuted(axes).as_contiguous();
    }
    if (tensor.rank() != data.rank()) {
      throw Error(ExitStatus::kConfig, fmt::format("data key '{}' has shape {}, extern_data says {}", key,
                                                   tensor.shape().str(), data.str()));
    }
    if (batch_axis >= 0) {
      binding_.bind(data.dims[static_cast<size_t>(batch_axis)], batch.size());
    }
    for (int axis : data.dynamic_axes()) {
      const Dim& dim = data.dims[static_cast<size_t>(axis)];
      const auto lengths =
          batch.lengths.find(axis == data.dynamic_axes().front() ? key : fmt::format("{}:{}", key, axis));
      if (lengths != batch.lengths.end()) {
        binding_.bind_lengths(dim, lengths->second);
      }
      binding_.bind(dim, tensor.dim(axis));
    }
    tensor = staged(tensor);
    executor_->bind("data:" + key, tensor);
    if (local_sums_) {
      local_sums_->bind("data:" + key, tensor);
    }
  }
  cpu::RandomRows rows(batch.rows.size());
  for (size_t row = 0; row < rows.size(); ++row) {
    for (const auto& [id, offset] : batch.rows[row]) {
      rows[row].push_back({id, offset});
    }
  }
  bind_rows(binding_, rows);
}

void NetworkRunner::bind_kept() {
  for (const KeptState& state : network_.kept_states()) {
    const Shape shape = binding_.shape(state.next.dims());
    Tensor& value = kept_[state.leaf];
    if (!value.defined()) {
      value = Tensor::zeros(state.next.dtype(), shape);
    }
    if (!(value.shape() == shape)) {
      throw Error(
          ExitStatus::kConfig,
          fmt::format("a state that goes on from batch to batch has shape {} after the last batch, this one needs "
                      "{}: with keep_over_epoch all batches must have the same number of sequences",
                      value.shape().str(), shape.str()));
    }
    executor_->bind(state.leaf, value);
    if (local_sums_) {
      local_sums_->bind(state.leaf, value);
    }
  }
}

void NetworkRunner::take_kept() {
  for (size_t i = 0; i < kept_fetches_.size(); ++i) {
    kept_[network_.kept_states()[i].leaf] = values_[static_cast<size_t>(kept_fetches_[i])].clone();
  }
}

std::map<std::string, Tensor> NetworkRunner::kept_states() const {
  std::map<std::string, Tensor> states;
  for (const auto& [leaf, value] : kept_) {
    states[leaf.substr(leaf.find(':') + 1)] = value;
  }
  return states;
}

}  // namespace wende
