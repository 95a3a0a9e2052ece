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
  const RecurrentSchedule schedule(args.lengths, direction);
  const Tensor memory = scratch(Shape{schedule.batch() * 2 * n});
  float* h = memory.data<float>();
  float* rz = h + schedule.batch() * n;
  schedule.load(args.h0, n, h);
  const StepMatrix w(args.w_re, false, schedule, scratch);
  const RowView z = schedule.frames_of(args.z);
  const RowView y = schedule.frames_of(args.y);
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    w.multiply(active, {h, n}, {rz, n});
    for (int64_t r = 0; r < active; ++r) {
      const int64_t frame = schedule.first(step) + r;
      cell_forward(n, z.row(frame), rz + r * n, h + r * n, y.row(frame));
    }
  }
  schedule.clear_padding(args.y);
  if (args.last_h.defined()) schedule.store(h, args.last_h);
}

void simple_rnn_backward(const SimpleRnnBackward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const RecurrentSchedule schedule(args.lengths, direction);
  const Tensor memory = scratch(Shape{schedule.batch() * n});
  float* dh = memory.data<float>();
  schedule.load(args.d_last_h, n, dh);
  const StepMatrix w(args.w_re, true, schedule, scratch);
  const RowView y = schedule.frames_of(args.y);
  const RowView dy = schedule.frames_of(args.dy);
  const RowView dz = schedule.frames_of(args.dz);
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    const int64_t first = schedule.first(step);
    for (int64_t r = 0; r < active; ++r) {
      cell_backward(n, y.row(first + r), dh + r * n, dy.data ? dy.row(first + r) : nullptr, dz.row(first + r));
    }
    w.multiply(active, dz.from(first), {dh, n});
  }
  recurrent_weight_grad(schedule, args.y, args.h0, args.dz, scratch, args.dw_re);
  schedule.clear_padding(args.dz);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
}

}  // namespace wende::cpu
