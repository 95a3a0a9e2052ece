#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// The k largest elements of each row of x [...,N] (float or int32), largest first, the first of equal ones first:
/// values [...,k] and int32 indices [...,k].
void top_k(const Tensor& x, const Tensor& values, const Tensor& indices);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(top_k)
