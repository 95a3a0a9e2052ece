#pragma once

#include <vector>

#include "tensor/placement.h"

namespace wende {

/// Tensors of an op that has no kernels for the device: its inputs are copied to the host, its outputs back.
class HostCall {
 public:
  void add_input(const Tensor& value) { inputs_.push_back(on_host(value)); }
  /// An undefined value is one that nobody wants.
  void add_output(const Tensor& value, bool wanted) {
    targets_.push_back(wanted ? value : Tensor());
    outputs_.push_back(Tensor::empty(value.dtype(), value.shape()));
  }
  const Tensor& input(int index) const { return inputs_[static_cast<size_t>(index)]; }
  const Tensor& output(int index) const { return outputs_[static_cast<size_t>(index)]; }
  void write_back() const {
    for (size_t i = 0; i < outputs_.size(); ++i) {
      if (targets_[i].defined()) {
        targets_[i].copy_from(outputs_[i]);
      }
    }
  }

 private:
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<Tensor> targets_;
};

}  // namespace wende
