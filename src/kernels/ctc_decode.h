#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace wende::cpu {

/// The best labelling by scores [B,T,V] (time_major: [T,B,V]) whose blank is the last class: by prefix search over sums
/// of paths, with TensorFlow's order of pruning; repeats that a blank separates stay.
std::vector<std::vector<int32_t>> ctc_decode(const Tensor& logits, const Tensor& lengths, bool time_major,
                                             int64_t beam_width);

}  // namespace wende::cpu
