#include <cstring>

#include "kernels/lstm.h"
#include "kernels/vector_math.h"

namespace wende::cpu {

namespace {

/// Offsets of the four blocks in a row of 4n.
struct Blocks {
  int64_t j, i, f, o;
  Blocks(int64_t n, bool tf_order) : j(tf_order ? n : 0), i(tf_order ? 0 : n), f(2 * n), o(3 * n) {}
};

/// One frame of one sequence: z and the recurrent product rz give gates, which may lie over z; c and h are updated in
/// place.
void cell_forward(int64_t n, const Blocks& at, float forget_bias, const float* z, const float* rz, float* gates,
                  float* __restrict c, float* __restrict h, float* __restrict y) {
  const float* zj = z + at.j;
  const float* zi = z + at.i;
  const float* zf = z + at.f;
  const float* zo = z + at.o;
  const float* rj = rz + at.j;
  const float* ri = rz + at.i;
  const float* rf = rz + at.f;
  const float* ro = rz + at.o;
  float* gj = gates + at.j;
  float* gi = gates + at.i;
  float* gf = gates + at.f;
  float* go = gates + at.o;
#pragma GCC ivdep
  for (int64_t k = 0; k < n; ++k) {
    const float j = vm::tanh(zj[k] + rj[k]);
    const float i = vm::sigmoid(zi[k] + ri[k]);
    const float f = vm::sigmoid(zf[k] + rf[k] + forget_bias);
    const float o = vm::sigmoid(zo[k] + ro[k]);
    const float next = c[k] * f + i * j;
    const float out = o * vm::tanh(next);
    gj[k] = j;
    gi[k] = i;
    gf[k] = f;
    go[k] = o;
    c[k] = next;
    h[k] = out;
    y[k] = out;
  }
}

/// dh: gradient of h from the next step and from y; dc is updated in place to that of the previous cell. dz may
/// lie over gates.
void cell_backward(int64_t n, const Blocks& at, const float* gates, const float* __restrict c,
                   const float* __restrict c_previous, const float* __restrict dh, float* __restrict dc, float* dz) {
  const float* gj = gates + at.j;
  const float* gi = gates + at.i;
  const float* gf = gates + at.f;
  const float* go = gates + at.o;
  float* dj = dz + at.j;
  float* di = dz + at.i;
  float* df = dz + at.f;
  float* d_o = dz + at.o;
#pragma GCC ivdep
  for (int64_t k = 0; k < n; ++k) {
    const float tanh_c = vm::tanh(c[k]);
    const float j = gj[k];
    const float i = gi[k];
    const float f = gf[k];
    const float o = go[k];
    const float dcell = dc[k] + dh[k] * o * (1.0f - tanh_c * tanh_c);
    d_o[k] = dh[k] * tanh_c * o * (1.0f - o);
    dj[k] = dcell * i * (1.0f - j * j);
    di[k] = dcell * j * i * (1.0f - i);
    df[k] = dcell * c_previous[k] * f * (1.0f - f);
    dc[k] = dcell * f;
  }
}

void add_to(int64_t n, const float* __restrict x, float* __restrict sum) {
  for (int64_t k = 0; k < n; ++k) sum[k] += x[k];
}

}  // namespace

void lstm_forward(const LstmForward& args, const LstmOptions& options, const Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const int64_t n4 = 4 * n;
  const RecurrentSchedule schedule(args.lengths, options.direction);
  const int64_t batch = schedule.batch();
  const Blocks at(n, options.tf_order);
  const Tensor memory = scratch(Shape{batch * (2 * n + n4) + n4});
  float* h = memory.data<float>();
  float* c = h + batch * n;
  float* rz = c + batch * n;
  float* unsaved_gates = rz + batch * n4;
  schedule.load(args.h0, n, h);
  schedule.load(args.c0, n, c);
  const StepMatrix w(args.w_re, false, schedule, scratch);
  const RowView z = schedule.frames_of(args.z);
  const RowView y = schedule.frames_of(args.y);
  const RowView gates = schedule.frames_of(args.gates);
  const RowView cells = schedule.frames_of(args.cells);
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    if (step == 0 && !args.h0.defined()) {
      std::memset(rz, 0, static_cast<size_t>(active * n4) * sizeof(float));
    } else {
      w.multiply(active, {h, n}, {rz, n4});
    }
    for (int64_t r = 0; r < active; ++r) {
      const int64_t frame = schedule.first(step) + r;
      cell_forward(n, at, options.forget_bias, z.row(frame), rz + r * n4, gates.data ? gates.row(frame) : unsaved_gates,
                   c + r * n, h + r * n, y.row(frame));
      if (cells.data) std::memcpy(cells.row(frame), c + r * n, static_cast<size_t>(n) * sizeof(float));
    }
  }
  schedule.clear_padding(args.y);
  if (args.last_h.defined()) schedule.store(h, args.last_h);
  if (args.last_c.defined()) schedule.store(c, args.last_c);
}

void lstm_backward(const LstmBackward& args, const LstmOptions& options, const Scratch& scratch) {
  const int64_t n = args.w_re.dim(0);
  const RecurrentSchedule schedule(args.lengths, options.direction);
  const int64_t batch = schedule.batch();
  const Blocks at(n, options.tf_order);
  const Tensor memory = scratch(Shape{batch * 3 * n});
  float* dh = memory.data<float>();
  float* dc = dh + batch * n;
  float* c0 = dc + batch * n;
  schedule.load(args.d_last_h, n, dh);
  schedule.load(args.d_last_c, n, dc);
  schedule.load(args.c0, n, c0);
  const StepMatrix w(args.w_re, true, schedule, scratch);
  const RowView gates = schedule.frames_of(args.gates);
  const RowView cells = schedule.frames_of(args.cells);
  const RowView dy = schedule.frames_of(args.dy);
  const RowView dz = schedule.frames_of(args.dz);
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    const int64_t first = schedule.first(step);
    for (int64_t r = 0; r < active; ++r) {
      const float* previous = step == 0 ? c0 + r * n : cells.row(schedule.first(step - 1) + r);
      if (dy.data) add_to(n, dy.row(first + r), dh + r * n);
      cell_backward(n, at, gates.row(first + r), cells.row(first + r), previous, dh + r * n, dc + r * n,
                    dz.row(first + r));
    }
    if (step > 0 || args.dh0.defined()) w.multiply(active, dz.from(first), {dh, n});
  }
  recurrent_weight_grad(schedule, args.y, args.h0, args.dz, scratch, args.dw_re);
  schedule.clear_padding(args.dz);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
  if (args.dc0.defined()) schedule.store(dc, args.dc0);
}

}  // namespace wende::cpu
