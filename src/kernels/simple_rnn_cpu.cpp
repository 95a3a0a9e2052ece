#include <cstring>

#include "kernels/simple_rnn.h"
#include "kernels/vector_math.h"

namespace wende::cpu {

namespace {

void cell_forward(int64_t n, const float* __restrict z, const float* __restrict rz, float* __restrict h,
                  float* __restrict y) {
  for (int64_t k = 0; k < n; ++k) {
    const float next = vm::tanh(z[k] + rz[k]);
    h[k] = next;
    y[k] = next;
  }
}

/// dy may be null.
void cell_backward(int64_t n, const float* __restrict y, const float* __restrict dh, const float* __restrict dy,
                   float* __restrict dz) {
  if (dy) {
    for (int64_t k = 0; k < n; ++k) dz[k] = (dh[k] + dy[k]) * (1.0f - y[k] * y[k]);
  } else {
    for (int64_t k = 0; k < n; ++k) dz[k] = dh[k] * (1.0f - y[k] * y[k]);
  }
}

}  // namespace

void simple_rnn_forward(const SimpleRnnForward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const RecurrentSchedule schedule(args.lengths, args.z.dim(0), direction);
  const Tensor memory = scratch(Shape{schedule.batch() * 2 * n});
  float* h = memory.data<float>();
  float* rz = h + schedule.batch() * n;
  schedule.load(args.h0, n, h);
  const StepMatrix w(args.w_re, false, schedule, scratch);
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    w.multiply(active, {h, n}, {rz, n});
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      cell_forward(n, args.z.data<float>() + row * n, rz + r * n, h + r * n, args.y.data<float>() + row * n);
    }
  }
  schedule.clear_padding(args.y);
  if (args.last_h.defined()) schedule.store(h, args.last_h);
}

void simple_rnn_backward(const SimpleRnnBackward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const RecurrentSchedule schedule(args.lengths, args.dz.dim(0), direction);
  const Tensor memory = scratch(Shape{schedule.batch() * n});
  float* dh = memory.data<float>();
  schedule.load(args.d_last_h, n, dh);
  const StepMatrix w(args.w_re, true, schedule, scratch);
  const float* y = args.y.data<float>();
  const float* dy = args.dy.defined() ? args.dy.data<float>() : nullptr;
  float* dz = args.dz.data<float>();
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      cell_backward(n, y + row * n, dh + r * n, dy ? dy + row * n : nullptr, dz + row * n);
    }
    w.multiply(active, {dz, n, schedule.rows(step)}, {dh, n});
  }
  recurrent_weight_grad(schedule, args.y, args.h0, args.dz, scratch, args.dw_re);
  schedule.clear_padding(args.dz);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
}

}  // namespace wende::cpu
