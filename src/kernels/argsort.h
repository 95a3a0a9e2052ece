#pragma once

#include "device/on_device.h"
#include "kernels/scratch.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// The order of each row of x [...,N], the largest first, the first of equal ones first: int32 indices [...,N], and the
/// values in that order if `sorted` is defined. Where NaN comes is not said.
void argsort_descending(const Tensor& x, const Scratch& scratch, const Tensor& order, const Tensor& sorted);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(argsort_descending)
