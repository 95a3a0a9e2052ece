#pragma once

#include "kernels/rnn_layer.h"

/// For CUDA sources: a recurrent layer by our own kernels.
namespace wende::cuda {

class OwnRnnLayer {
 public:
  explicit OwnRnnLayer(const RnnForm& form) : form_(form) {}
  void forward(const RnnForward& args, const cpu::Scratch& scratch);
  void backward(const RnnBackward& args, const cpu::Scratch& scratch);

 private:
  RnnForm form_;
  Tensor gates_, cells_;  ///< of the last forward pass for gradients; gates become dz
};

}  // namespace wende::cuda
