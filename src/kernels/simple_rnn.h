#pragma once

#include "device/on_device.h"
#include "kernels/recurrent_schedule.h"

namespace wende::cpu {

/// h_t = tanh(z_t + h_{t-1} w_re). h0 and last_h may be undefined. On the CPU each tensor of frames, here and in
/// SimpleRnnBackward, may also be [frames,n] without the padding.
struct SimpleRnnForward {
  Tensor z;        ///< [T,B,n]
  Tensor w_re;     ///< [n,n]
  Tensor lengths;  ///< int32 [B]
  Tensor h0;       ///< [B,n]
  Tensor y;        ///< [T,B,n], 0 on padding
  Tensor last_h;
};

struct SimpleRnnBackward {
  Tensor dy, d_last_h;  ///< each may be undefined
  Tensor y, w_re, lengths, h0;
  Tensor dz;  ///< 0 on padding
  Tensor dw_re;
  Tensor dh0;  ///< may be undefined
};

void simple_rnn_forward(const SimpleRnnForward& args, int direction, const Scratch& scratch);
void simple_rnn_backward(const SimpleRnnBackward& args, int direction, const Scratch& scratch);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(simple_rnn_forward)
WENDE_CUDA_KERNEL(simple_rnn_backward)
