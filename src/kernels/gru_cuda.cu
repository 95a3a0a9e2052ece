#include "device/cuda_check.cuh"
#include "kernels/gemm.h"
#include "kernels/gru.h"
#include "kernels/recurrent_cuda.cuh"
#include "kernels/vector_math.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

struct Cell {
  int64_t n;
  int64_t batch;
};

/// One frame: gates r, u [B,2n] and r*h. The kernels take the rows of one frame.
__global__ void __launch_bounds__(kThreads) gates_kernel(Cell cell, int64_t t, const int32_t* lengths, const float* z,
                                                         const float* rz, const float* h, float* gates, float* rh) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= cell.batch * cell.n) return;
  const int64_t b = at / cell.n;
  if (t >= lengths[b]) {
    rh[at] = 0.0f;
    return;
  }
  const int64_t row = b * 2 * cell.n + at % cell.n;
  const float r = vm::sigmoid(z[row] + rz[row]);
  const float u = vm::sigmoid(z[row + cell.n] + rz[row + cell.n]);
  gates[row] = r;
  gates[row + cell.n] = u;
  rh[at] = r * h[at];
}

__global__ void __launch_bounds__(kThreads)
    state_kernel(Cell cell, int64_t t, const int32_t* lengths, const float* z, const float* rc, const float* gates,
                 float* candidate, float* h, float* y) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= cell.batch * cell.n) return;
  const int64_t b = at / cell.n;
  if (t >= lengths[b]) {
    y[at] = 0.0f;
    return;
  }
  const float u = gates[b * 2 * cell.n + cell.n + at % cell.n];
  const float c = vm::tanh(z[at] + rc[at]);
  const float next = u * h[at] + (1.0f - u) * c;
  if (candidate != nullptr) candidate[at] = c;
  h[at] = next;
  y[at] = next;
}

/// dzc, dzu, r*h_previous (for the gradient of w_candidate); dh becomes what flows on directly.
__global__ void __launch_bounds__(kThreads)
    state_backward_kernel(Cell cell, int64_t t, PreviousState previous, const float* gates, const float* candidate,
                          const float* dy, float* dh, float* dz_gates, float* dz_candidate, float* rh) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= cell.batch * cell.n) return;
  const int64_t b = at / cell.n;
  const int64_t row = b * 2 * cell.n + at % cell.n;
  if (t >= previous.lengths[b]) {
    dz_gates[row] = dz_gates[row + cell.n] = dz_candidate[at] = rh[at] = 0.0f;
    return;
  }
  const float h = previous.at(t, b, at % cell.n);
  const float u = gates[row + cell.n];
  const float c = candidate[at];
  const float dout = dh[at] + (dy == nullptr ? 0.0f : dy[at]);
  dz_candidate[at] = dout * (1.0f - u) * (1.0f - c * c);
  dz_gates[row + cell.n] = dout * (h - c) * u * (1.0f - u);
  dh[at] = dout * u;
  rh[at] = gates[row] * h;
}

/// drh: gradient of r*h.
__global__ void __launch_bounds__(kThreads)
    reset_backward_kernel(Cell cell, int64_t t, PreviousState previous, const float* gates, const float* drh, float* dh,
                          float* dz_gates) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= cell.batch * cell.n) return;
  const int64_t b = at / cell.n;
  if (t >= previous.lengths[b]) return;
  const int64_t row = b * 2 * cell.n + at % cell.n;
  const float r = gates[row];
  dz_gates[row] = drh[at] * previous.at(t, b, at % cell.n) * r * (1.0f - r);
  dh[at] += drh[at] * r;
}

}  // namespace

void gru_forward(const cpu::GruForward& args, int direction, const cpu::Scratch& scratch) {
  const int64_t n = args.w_candidate.dim(0);
  const int64_t steps = args.z_candidate.dim(0);
  const int64_t batch = args.z_candidate.dim(1);
  const Cell cell{n, batch};
  const Tensor h = scratch(Shape{batch, n});
  const Tensor rh = scratch(Shape{batch, n});
  const Tensor rc = scratch(Shape{batch, n});
  const Tensor rz = scratch(Shape{batch, 2 * n});
  const Tensor unsaved_gates = args.gates.defined() ? Tensor() : scratch(Shape{batch, 2 * n});
  load_state(args.h0, h);
  const int32_t* lengths = device_data<int32_t>(args.lengths);
  float* candidate = device_data_or_null<float>(args.candidate);
  const unsigned blocks = blocks_for(batch * n, kThreads, 1u << 30);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t t = frame_of(step, steps, direction);
    const int64_t frame = t * batch * n;
    float* gates =
        args.gates.defined() ? device_data<float>(args.gates) + 2 * frame : device_data<float>(unsaved_gates);
    gemm(false, false, batch, 2 * n, n, 1.0f, device_data<float>(h), n, device_data<float>(args.w_gates), 2 * n, 0.0f,
         device_data<float>(rz), 2 * n);
    launch(gates_kernel, blocks, kThreads, 0, cell, t, lengths, device_data<float>(args.z_gates) + 2 * frame,
           device_data<float>(rz), device_data<float>(h), gates, device_data<float>(rh));
    gemm(false, false, batch, n, n, 1.0f, device_data<float>(rh), n, device_data<float>(args.w_candidate), n, 0.0f,
         device_data<float>(rc), n);
    launch(state_kernel, blocks, kThreads, 0, cell, t, lengths, device_data<float>(args.z_candidate) + frame,
           device_data<float>(rc), gates, candidate == nullptr ? candidate : candidate + frame, device_data<float>(h),
           device_data<float>(args.y) + frame);
  }
  if (args.last_h.defined()) args.last_h.copy_from(h);
}

void gru_backward(const cpu::GruBackward& args, int direction, const cpu::Scratch& scratch) {
  const int64_t n = args.w_candidate.dim(0);
  const int64_t steps = args.dz_candidate.dim(0);
  const int64_t batch = args.dz_candidate.dim(1);
  const Cell cell{n, batch};
  const Tensor dh = scratch(Shape{batch, n});
  const Tensor drh = scratch(Shape{batch, n});
  const Tensor rh = scratch(Shape{steps, batch, n});
  load_state(args.d_last_h, dh);
  const PreviousState previous{device_data<float>(args.y),
                               device_data_or_null<float>(args.h0),
                               device_data<int32_t>(args.lengths),
                               batch,
                               n,
                               direction};
  const float* dy = device_data_or_null<float>(args.dy);
  const unsigned blocks = blocks_for(batch * n, kThreads, 1u << 30);
  for (int64_t step = steps - 1; step >= 0; --step) {
    const int64_t t = frame_of(step, steps, direction);
    const int64_t frame = t * batch * n;
    const float* gates = device_data<float>(args.gates) + 2 * frame;
    float* dz_gates = device_data<float>(args.dz_gates) + 2 * frame;
    float* dz_candidate = device_data<float>(args.dz_candidate) + frame;
    launch(state_backward_kernel, blocks, kThreads, 0, cell, t, previous, gates,
           device_data<float>(args.candidate) + frame, dy == nullptr ? dy : dy + frame, device_data<float>(dh),
           dz_gates, dz_candidate, device_data<float>(rh) + frame);
    gemm(false, true, batch, n, n, 1.0f, dz_candidate, n, device_data<float>(args.w_candidate), n, 0.0f,
         device_data<float>(drh), n);
    launch(reset_backward_kernel, blocks, kThreads, 0, cell, t, previous, gates, device_data<float>(drh),
           device_data<float>(dh), dz_gates);
    gemm(false, true, batch, n, 2 * n, 1.0f, dz_gates, 2 * n, device_data<float>(args.w_gates), 2 * n, 1.0f,
         device_data<float>(dh), n);
  }
  recurrent_weight_grad(args.y, args.h0, args.dz_gates, args.lengths, direction, scratch, args.dw_gates);
  gemm(true, false, n, n, steps * batch, 1.0f, device_data<float>(rh), n, device_data<float>(args.dz_candidate), n,
       0.0f, device_data<float>(args.dw_candidate), n);
  if (args.dh0.defined()) args.dh0.copy_from(dh);
}

}  // namespace wende::cuda
