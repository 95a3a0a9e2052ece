#pragma once

#include "device/on_device.h"
#include "kernels/recurrent_schedule.h"

namespace wende::cpu {

/// Undefined tensors: no initial state; outputs that nobody wants (all but y). On the CPU each tensor of frames, here
/// and in GruBackward, may also be [frames,...] without the padding.
struct GruForward {
  Tensor z_gates;      ///< [T,B,2n]: r, u
  Tensor z_candidate;  ///< [T,B,n]
  Tensor w_gates;      ///< [n,2n]
  Tensor w_candidate;  ///< [n,n]
  Tensor lengths;      ///< int32 [B]
  Tensor h0;           ///< [B,n]
  Tensor y;            ///< [T,B,n], 0 on padding
  Tensor last_h;
  Tensor gates;      ///< [T,B,2n]: activations r, u; padding is not written
  Tensor candidate;  ///< [T,B,n]; padding is not written
};

struct GruBackward {
  Tensor dy, d_last_h;  ///< each may be undefined
  Tensor gates, candidate, y, w_gates, w_candidate, lengths, h0;
  Tensor dz_gates, dz_candidate;  ///< 0 on padding; dz_gates may be the memory of gates
  Tensor dw_gates, dw_candidate;
  Tensor dh0;  ///< may be undefined
};

void gru_forward(const GruForward& args, int direction, const Scratch& scratch);
void gru_backward(const GruBackward& args, int direction, const Scratch& scratch);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(gru_forward)
WENDE_CUDA_KERNEL(gru_backward)
