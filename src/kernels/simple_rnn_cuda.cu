#include "device/cuda_check.cuh"
#include "kernels/gemm.h"
#include "kernels/recurrent_cuda.cuh"
#include "kernels/simple_rnn.h"
#include "kernels/vector_math.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// One frame of [B,n].
__global__ void __launch_bounds__(kThreads) forward_kernel(int64_t batch, int64_t n, int64_t t, const int32_t* lengths,
                                                           const float* z, const float* rz, float* h, float* y) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= batch * n) return;
  if (t >= lengths[at / n]) {
    y[at] = 0.0f;
    return;
  }
  const float next = vm::tanh(z[at] + rz[at]);
  h[at] = next;
  y[at] = next;
}

/// dh is consumed where the frame is none of padding; the product dz w^T is added to it. dy may be null.
__global__ void __launch_bounds__(kThreads) backward_kernel(int64_t batch, int64_t n, int64_t t, const int32_t* lengths,
                                                            const float* y, const float* dy, float* dh, float* dz) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= batch * n) return;
  if (t >= lengths[at / n]) {
    dz[at] = 0.0f;
    return;
  }
  dz[at] = (dh[at] + (dy == nullptr ? 0.0f : dy[at])) * (1.0f - y[at] * y[at]);
  dh[at] = 0.0f;
}

}  // namespace

void simple_rnn_forward(const cpu::SimpleRnnForward& args, int direction, const cpu::Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const int64_t steps = args.z.dim(0);
  const int64_t batch = args.z.dim(1);
  const Tensor h = scratch(Shape{batch, n});
  const Tensor rz = scratch(Shape{batch, n});
  load_state(args.h0, h);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t t = frame_of(step, steps, direction);
    const int64_t frame = t * batch * n;
    gemm(false, false, batch, n, n, 1.0f, device_data<float>(h), n, device_data<float>(args.w_re), n, 0.0f,
         device_data<float>(rz), n);
    launch(forward_kernel, blocks_for(batch * n, kThreads, 1u << 30), kThreads, 0, batch, n, t,
           device_data<int32_t>(args.lengths), device_data<float>(args.z) + frame, device_data<float>(rz),
           device_data<float>(h), device_data<float>(args.y) + frame);
  }
  if (args.last_h.defined()) args.last_h.copy_from(h);
}

void simple_rnn_backward(const cpu::SimpleRnnBackward& args, int direction, const cpu::Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const int64_t steps = args.dz.dim(0);
  const int64_t batch = args.dz.dim(1);
  const Tensor dh = scratch(Shape{batch, n});
  load_state(args.d_last_h, dh);
  const float* dy = device_data_or_null<float>(args.dy);
  for (int64_t step = steps - 1; step >= 0; --step) {
    const int64_t t = frame_of(step, steps, direction);
    const int64_t frame = t * batch * n;
    float* dz = device_data<float>(args.dz) + frame;
    launch(backward_kernel, blocks_for(batch * n, kThreads, 1u << 30), kThreads, 0, batch, n, t,
           device_data<int32_t>(args.lengths), device_data<float>(args.y) + frame, dy == nullptr ? dy : dy + frame,
           device_data<float>(dh), dz);
    gemm(false, true, batch, n, n, 1.0f, dz, n, device_data<float>(args.w_re), n, 1.0f, device_data<float>(dh), n);
  }
  recurrent_weight_grad(args.y, args.h0, args.dz, args.lengths, direction, scratch, args.dw_re);
  if (args.dh0.defined()) args.dh0.copy_from(dh);
}

}  // namespace wende::cuda
