#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Along one axis of a contiguous tensor; log: log-softmax. A slice of only -inf gives NaN.
void softmax(const Tensor& x, int axis, bool log, const Tensor& out);
/// dx from the output y and dy.
void softmax_grad(const Tensor& y, const Tensor& dy, int axis, bool log, const Tensor& dx);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(softmax)
WENDE_CUDA_KERNEL(softmax_grad)
