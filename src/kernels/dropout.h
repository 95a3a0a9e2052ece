#pragma once

#include "device/philox.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// 1/keep with probability keep, else 0.
void dropout_mask(const Philox& philox, double keep, const Tensor& out);
void random_normal(const Philox& philox, double stddev, const Tensor& out);
void random_uniform(const Philox& philox, double low, double high, const Tensor& out);

}  // namespace wende::cpu
