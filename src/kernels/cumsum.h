#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// out[o,t] = sum of x[o,0...t], or of x[o,t...] with reverse; x [O,T,I] float or int32.
void cumsum(const Tensor& x, bool reverse, const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(cumsum)
