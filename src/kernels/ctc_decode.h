#pragma once

#include <cstdint>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// The best labelling by scores [B,T,V] (time_major: [T,B,V]) whose blank is the last class: by prefix search over sums
/// of paths, with TensorFlow's order of pruning; repeats that a blank separates stay. labels int32 [B,T]: so many as
/// label_lengths int32 [B] says.
void ctc_decode(const Tensor& logits, const Tensor& lengths, bool time_major, int64_t beam_width, const Tensor& labels,
                const Tensor& label_lengths);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(ctc_decode)
