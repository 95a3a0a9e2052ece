#pragma once

#include "device/on_device.h"
#include "kernels/recurrent_schedule.h"

namespace wende::cpu {

struct LstmOptions {
  int direction = 1;
  bool tf_order = false;  ///< blocks of the 4n axis: (i,j,f,o) instead of (j,i,f,o)
  float forget_bias = 0.0f;
};

/// Undefined tensors: no initial state; outputs that nobody wants (all but y). On the CPU each tensor of frames, here
/// and in LstmBackward, may also be [frames,...] without the padding.
struct LstmForward {
  Tensor z;        ///< [T,B,4n]
  Tensor w_re;     ///< [n,4n]
  Tensor lengths;  ///< int32 [B]
  Tensor c0, h0;   ///< [B,n]
  Tensor y;        ///< [T,B,n]
  Tensor last_h, last_c;
  Tensor gates;  ///< [T,B,4n]: activations, in the order of z; may be z's memory; padding is not written
  Tensor cells;  ///< [T,B,n]; padding is not written
};

struct LstmBackward {
  Tensor dy, d_last_h, d_last_c;  ///< each may be undefined
  Tensor gates, cells, y, w_re, lengths, c0, h0;
  Tensor dz;        ///< [T,B,4n], 0 on padding; may be the memory of gates
  Tensor dw_re;     ///< [n,4n]
  Tensor dc0, dh0;  ///< may be undefined
};

void lstm_forward(const LstmForward& args, const LstmOptions& options, const Scratch& scratch);
void lstm_backward(const LstmBackward& args, const LstmOptions& options, const Scratch& scratch);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(lstm_forward)
WENDE_CUDA_KERNEL(lstm_backward)
