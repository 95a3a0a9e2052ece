#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// x [O,T,I] -> out [O,T,W,I]: out[o,t,w] = x[o,t+w-left], 0 outside [0,T).
void window(const Tensor& x, int64_t left, const Tensor& out);
/// Its transposition: out[o,t] = sum over w of x[o,t-w+left,w].
void window_sum(const Tensor& x, int64_t left, const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(window)
WENDE_CUDA_KERNEL(window_sum)
