#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// The best `to` candidates of each `from` rows: scores [B*from,V] (a NaN is the worst), the first of equal ones first.
/// In step 0 (an int32 scalar) only the first row of each beam counts. keep_beams: from then on the best to / from of
/// each row. labels, rows [B*to] int32: class and row of each choice; valid [B*to] bool: were there so many candidates.
void beam_step(const Tensor& scores, const Tensor& step, int64_t from, int64_t to, bool keep_beams,
               const Tensor& labels, const Tensor& rows, const Tensor& valid);

/// The rows [B] of each frame that lead to those at the end: rows [T,B] int32 holds the row before each one, steps (an
/// int32 scalar) how many frames of it count. chosen and before [T,B] int32, as t * B + row: in a frame, and before it.
void beam_trace(const Tensor& rows, const Tensor& steps, const Tensor& chosen, const Tensor& before);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(beam_step)
WENDE_CUDA_KERNEL(beam_trace)
