#pragma once

#include <cstdint>

#include "kernels/recurrent_schedule.h"

/// For CUDA sources: what the recurrent units share. Each step works on the whole batch of one frame [B,n]; sequences
/// for which the frame is padding keep their state. The lengths stay on the device.
namespace wende::cuda {

/// Frame of a step: 0, 1, ... or from the last one down.
inline int64_t frame_of(int64_t step, int64_t steps, int direction) { return direction > 0 ? step : steps - 1 - step; }

/// Copies [B,n] rows to `state`, or writes zeros for an undefined tensor.
void load_state(const Tensor& rows, const Tensor& state);

/// dw [n,m] = sum over frames of h_previous^T dz: y [T,B,n] shifted by a frame (zero in the padding), h0 (may be
/// undefined) at each sequence's first frame. dz [T,B,m]: zero in the padding.
void recurrent_weight_grad(const Tensor& y, const Tensor& h0, const Tensor& dz, const Tensor& lengths, int direction,
                           const cpu::Scratch& scratch, const Tensor& dw);

/// h_previous of (t, b, k), for kernels: state before the frame that the sequence visits at t.
struct PreviousState {
  const float* y;
  const float* h0;  ///< null: zero
  const int32_t* lengths;
  int64_t batch;
  int64_t n;
  int direction;

  __device__ float at(int64_t t, int64_t b, int64_t k) const {
    const bool first = direction > 0 ? t == 0 : t == lengths[b] - 1;
    if (first) return h0 == nullptr ? 0.0f : h0[b * n + k];
    return y[((t - direction) * batch + b) * n + k];
  }
};

}  // namespace wende::cuda
