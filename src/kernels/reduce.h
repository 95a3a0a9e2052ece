#pragma once

#include <vector>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende {

enum class Reduction { kSum, kMean, kMax, kMin, kProd, kAny, kAll, kLogSumExp };

}  // namespace wende

namespace wende::cpu {

/// Reduces contiguous x over `axes` into `out`, whose elements are those of the kept axes in C order.
/// Sums over nothing: 0; maxima: -inf (lowest integer); sums are blocked, so that errors do not grow with the count.
void reduce(Reduction kind, const Tensor& x, const std::vector<int>& axes, const Tensor& out);
/// First index of the largest (or smallest) element along an axis: int32.
void arg_extremum(bool largest, const Tensor& x, int axis, const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(reduce)
WENDE_CUDA_KERNEL(arg_extremum)
