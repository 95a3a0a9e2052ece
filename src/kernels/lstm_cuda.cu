#include "device/cuda_check.cuh"
#include "kernels/gemm.h"
#include "kernels/lstm.h"
#include "kernels/recurrent_cuda.cuh"
#include "kernels/vector_math.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Offsets of the four blocks in a row of 4n, and the size of the problem.
struct Cell {
  int64_t n;
  int64_t batch;
  int64_t j;
  int64_t i;
  int64_t f;
  int64_t o;
  float forget_bias;
};

Cell cell_of(int64_t n, int64_t batch, const cpu::LstmOptions& options) {
  return {n, batch, options.tf_order ? n : 0, options.tf_order ? 0 : n, 2 * n, 3 * n, options.forget_bias};
}

/// One frame: z and the recurrent product rz give gates; c and h are updated in place. y, gates, cells: of this frame;
/// gates and cells may be null.
__global__ void __launch_bounds__(kThreads)
    forward_kernel(Cell cell, int64_t t, const int32_t* lengths, const float* z, const float* rz, float* c, float* h,
                   float* y, float* gates, float* cells) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= cell.batch * cell.n) return;
  const int64_t b = at / cell.n;
  if (t >= lengths[b]) {
    y[at] = 0.0f;
    return;
  }
  const int64_t row = b * 4 * cell.n + at % cell.n;
  const float j = vm::tanh(z[row + cell.j] + rz[row + cell.j]);
  const float i = vm::sigmoid(z[row + cell.i] + rz[row + cell.i]);
  const float f = vm::sigmoid(z[row + cell.f] + rz[row + cell.f] + cell.forget_bias);
  const float o = vm::sigmoid(z[row + cell.o] + rz[row + cell.o]);
  const float next = c[at] * f + i * j;
  const float out = o * vm::tanh(next);
  if (gates != nullptr) {
    gates[row + cell.j] = j;
    gates[row + cell.i] = i;
    gates[row + cell.f] = f;
    gates[row + cell.o] = o;
  }
  if (cells != nullptr) cells[at] = next;
  c[at] = next;
  h[at] = out;
  y[at] = out;
}

/// One frame. dh: gradient of h from later frames; it is consumed where the frame is none of padding, so that the
/// product dz w^T can be added. dc becomes that of the previous cell. dy: of this frame, may be null.
__global__ void __launch_bounds__(kThreads)
    backward_kernel(Cell cell, int64_t t, PreviousState previous, const float* gates, const float* cells,
                    const float* dy, float* dh, float* dc, float* dz) {
  const int64_t at = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (at >= cell.batch * cell.n) return;
  const int64_t b = at / cell.n;
  const int64_t row = b * 4 * cell.n + at % cell.n;
  if (t >= previous.lengths[b]) {
    for (int64_t block = 0; block < 4; ++block) dz[row + block * cell.n] = 0.0f;
    return;
  }
  const float tanh_c = vm::tanh(cells[at]);
  const float j = gates[row + cell.j];
  const float i = gates[row + cell.i];
  const float f = gates[row + cell.f];
  const float o = gates[row + cell.o];
  const float dout = dh[at] + (dy == nullptr ? 0.0f : dy[at]);
  const float dcell = dc[at] + dout * o * (1.0f - tanh_c * tanh_c);
  dz[row + cell.o] = dout * tanh_c * o * (1.0f - o);
  dz[row + cell.j] = dcell * i * (1.0f - j * j);
  dz[row + cell.i] = dcell * j * i * (1.0f - i);
  dz[row + cell.f] = dcell * previous.at(t, b, at % cell.n) * f * (1.0f - f);
  dc[at] = dcell * f;
  dh[at] = 0.0f;
}

}  // namespace

void lstm_forward(const cpu::LstmForward& args, const cpu::LstmOptions& options, const cpu::Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const int64_t steps = args.z.dim(0);
  const int64_t batch = args.z.dim(1);
  const Cell cell = cell_of(n, batch, options);
  const Tensor h = scratch(Shape{batch, n});
  const Tensor c = scratch(Shape{batch, n});
  const Tensor rz = scratch(Shape{batch, 4 * n});
  load_state(args.h0, h);
  load_state(args.c0, c);
  float* gates = device_data_or_null<float>(args.gates);
  float* cells = device_data_or_null<float>(args.cells);
  const unsigned blocks = blocks_for(batch * n, kThreads, 1u << 30);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t t = frame_of(step, steps, options.direction);
    if (step == 0 && !args.h0.defined()) {
      clear(rz);
    } else {
      gemm(false, false, batch, 4 * n, n, 1.0f, device_data<float>(h), n, device_data<float>(args.w_re), 4 * n, 0.0f,
           device_data<float>(rz), 4 * n);
    }
    const int64_t frame = t * batch * n;
    launch(forward_kernel, blocks, kThreads, 0, cell, t, device_data<int32_t>(args.lengths),
           device_data<float>(args.z) + 4 * frame, device_data<float>(rz), device_data<float>(c), device_data<float>(h),
           device_data<float>(args.y) + frame, gates == nullptr ? gates : gates + 4 * frame,
           cells == nullptr ? cells : cells + frame);
  }
  if (args.last_h.defined()) args.last_h.copy_from(h);
  if (args.last_c.defined()) args.last_c.copy_from(c);
}

void lstm_backward(const cpu::LstmBackward& args, const cpu::LstmOptions& options, const cpu::Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const int64_t steps = args.dz.dim(0);
  const int64_t batch = args.dz.dim(1);
  const Cell cell = cell_of(n, batch, options);
  const Tensor dh = scratch(Shape{batch, n});
  const Tensor dc = scratch(Shape{batch, n});
  load_state(args.d_last_h, dh);
  load_state(args.d_last_c, dc);
  const PreviousState previous{device_data<float>(args.cells),
                               device_data_or_null<float>(args.c0),
                               device_data<int32_t>(args.lengths),
                               batch,
                               n,
                               options.direction};
  const float* dy = device_data_or_null<float>(args.dy);
  const unsigned blocks = blocks_for(batch * n, kThreads, 1u << 30);
  for (int64_t step = steps - 1; step >= 0; --step) {
    const int64_t t = frame_of(step, steps, options.direction);
    const int64_t frame = t * batch * n;
    float* dz = device_data<float>(args.dz) + 4 * frame;
    launch(backward_kernel, blocks, kThreads, 0, cell, t, previous, device_data<float>(args.gates) + 4 * frame,
           device_data<float>(args.cells) + frame, dy == nullptr ? dy : dy + frame, device_data<float>(dh),
           device_data<float>(dc), dz);
    if (step > 0 || args.dh0.defined()) {
      gemm(false, true, batch, n, 4 * n, 1.0f, dz, 4 * n, device_data<float>(args.w_re), 4 * n, 1.0f,
           device_data<float>(dh), n);
    }
  }
  recurrent_weight_grad(args.y, args.h0, args.dz, args.lengths, options.direction, scratch, args.dw_re);
  if (args.dh0.defined()) args.dh0.copy_from(dh);
  if (args.dc0.defined()) args.dc0.copy_from(dc);
}

}  // namespace wende::cuda
