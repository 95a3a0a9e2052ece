#pragma once

#include "device/on_device.h"
#include "kernels/scratch.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// A softmax layer with its loss and both their gradients, some rows at a time: the logits [...,V], often the largest
/// value of a network, never exist as a whole.
struct LinearCrossEntropy {
  Tensor x;       ///< [...,K]
  Tensor w;       ///< [K,V]
  Tensor bias;    ///< [V], may be undefined
  Tensor labels;  ///< int32 [...]
  Tensor
      valid;  ///< bool [...], may be undefined: rows that are not valid have loss 0 and no gradient, and are not read
  Tensor dloss;  ///< [...], undefined: no gradients

  // Results; undefined: not wanted.
  Tensor loss;   ///< [...]
  Tensor best;   ///< int32 [...]: the class with the largest logit
  Tensor dx;     ///< [...,K]
  Tensor dw;     ///< [K,V]
  Tensor dbias;  ///< [V]
};

/// Throws Error kMalformedInput for a label outside of [0,V).
void linear_cross_entropy(const LinearCrossEntropy& tensors, const Scratch& scratch);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(linear_cross_entropy)
