#include <cstring>

#include "kernels/gru.h"
#include "kernels/vector_math.h"

namespace wende::cpu {

namespace {

/// r, u and r*h of one frame.
void gates_forward(int64_t n, const float* __restrict z, const float* __restrict rz, const float* __restrict h,
                   float* __restrict gates, float* __restrict rh) {
  for (int64_t k = 0; k < 2 * n; ++k) gates[k] = vm::sigmoid(z[k] + rz[k]);
  for (int64_t k = 0; k < n; ++k) rh[k] = gates[k] * h[k];
}

void state_forward(int64_t n, const float* __restrict z, const float* __restrict rz, const float* __restrict u,
                   float* __restrict candidate, float* __restrict h, float* __restrict y) {
  for (int64_t k = 0; k < n; ++k) {
    const float c = vm::tanh(z[k] + rz[k]);
    const float next = u[k] * h[k] + (1.0f - u[k]) * c;
    candidate[k] = c;
    h[k] = next;
    y[k] = next;
  }
}

/// Gradients of the candidate's and u's pre-activations; dh becomes what flows on directly, dh * u. dzu may be u.
void state_backward(int64_t n, const float* u, const float* __restrict candidate, const float* __restrict previous,
                    float* __restrict dh, float* dzu, float* __restrict dzc) {
#pragma GCC ivdep
  for (int64_t k = 0; k < n; ++k) {
    const float c = candidate[k];
    const float update = u[k];
    dzc[k] = dh[k] * (1.0f - update) * (1.0f - c * c);
    dzu[k] = dh[k] * (previous[k] - c) * update * (1.0f - update);
    dh[k] *= update;
  }
}

/// drh: gradient of r*h. dzr may be r.
void reset_backward(int64_t n, const float* r, const float* __restrict previous, const float* __restrict drh,
                    float* __restrict dh, float* dzr) {
#pragma GCC ivdep
  for (int64_t k = 0; k < n; ++k) {
    const float reset = r[k];
    dzr[k] = drh[k] * previous[k] * reset * (1.0f - reset);
    dh[k] += drh[k] * reset;
  }
}

void multiply(int64_t n, const float* __restrict a, const float* __restrict b, float* __restrict out) {
  for (int64_t k = 0; k < n; ++k) out[k] = a[k] * b[k];
}

void add_to(int64_t n, const float* __restrict x, float* __restrict sum) {
  for (int64_t k = 0; k < n; ++k) sum[k] += x[k];
}

}  // namespace

void gru_forward(const GruForward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_candidate.dim(0);
  const RecurrentSchedule schedule(args.lengths, direction);
  const int64_t batch = schedule.batch();
  const Tensor memory = scratch(Shape{batch * 7 * n + n});
  float* h = memory.data<float>();
  float* rz = h + batch * n;
  float* gates = rz + batch * 2 * n;
  float* rh = gates + batch * 2 * n;
  float* rc = rh + batch * n;
  float* unsaved = rc + batch * n;
  schedule.load(args.h0, n, h);
  const StepMatrix w_gates(args.w_gates, false, schedule, scratch);
  const StepMatrix w_candidate(args.w_candidate, false, schedule, scratch);
  const RowView z_gates = schedule.frames_of(args.z_gates);
  const RowView z_candidate = schedule.frames_of(args.z_candidate);
  const RowView y = schedule.frames_of(args.y);
  const RowView saved_gates = schedule.frames_of(args.gates);
  const RowView saved_candidate = schedule.frames_of(args.candidate);
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    const int64_t first = schedule.first(step);
    w_gates.multiply(active, {h, n}, {rz, 2 * n});
    for (int64_t r = 0; r < active; ++r) {
      gates_forward(n, z_gates.row(first + r), rz + r * 2 * n, h + r * n, gates + r * 2 * n, rh + r * n);
      if (saved_gates.data) {
        std::memcpy(saved_gates.row(first + r), gates + r * 2 * n, static_cast<size_t>(2 * n) * sizeof(float));
      }
    }
    w_candidate.multiply(active, {rh, n}, {rc, n});
    for (int64_t r = 0; r < active; ++r) {
      state_forward(n, z_candidate.row(first + r), rc + r * n, gates + r * 2 * n + n,
                    saved_candidate.data ? saved_candidate.row(first + r) : unsaved, h + r * n, y.row(first + r));
    }
  }
  schedule.clear_padding(args.y);
  if (args.last_h.defined()) schedule.store(h, args.last_h);
}

void gru_backward(const GruBackward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_candidate.dim(0);
  const RecurrentSchedule schedule(args.lengths, direction);
  const int64_t batch = schedule.batch();
  const Tensor memory = scratch(Shape{batch * 3 * n});
  float* dh = memory.data<float>();
  float* h0 = dh + batch * n;
  float* drh = h0 + batch * n;
  schedule.load(args.d_last_h, n, dh);
  schedule.load(args.h0, n, h0);
  const Tensor all_rh = scratch(Shape{schedule.frames(), n});
  const StepMatrix w_gates(args.w_gates, true, schedule, scratch);
  const StepMatrix w_candidate(args.w_candidate, true, schedule, scratch);
  const RowView gates = schedule.frames_of(args.gates);
  const RowView candidate = schedule.frames_of(args.candidate);
  const RowView y = schedule.frames_of(args.y);
  const RowView dy = schedule.frames_of(args.dy);
  const RowView dz_gates = schedule.frames_of(args.dz_gates);
  const RowView dz_candidate = schedule.frames_of(args.dz_candidate);
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    const int64_t first = schedule.first(step);
    const auto previous = [&](int64_t r) { return step == 0 ? h0 + r * n : y.row(schedule.first(step - 1) + r); };
    for (int64_t r = 0; r < active; ++r) {
      const int64_t frame = first + r;
      multiply(n, gates.row(frame), previous(r), all_rh.data<float>() + frame * n);
      if (dy.data) add_to(n, dy.row(frame), dh + r * n);
      state_backward(n, gates.row(frame) + n, candidate.row(frame), previous(r), dh + r * n, dz_gates.row(frame) + n,
                     dz_candidate.row(frame));
    }
    w_candidate.multiply(active, dz_candidate.from(first), {drh, n});
    for (int64_t r = 0; r < active; ++r) {
      reset_backward(n, gates.row(first + r), previous(r), drh + r * n, dh + r * n, dz_gates.row(first + r));
    }
    w_gates.multiply(active, dz_gates.from(first), {dh, n}, true);
  }
  recurrent_weight_grad(schedule, args.y, args.h0, args.dz_gates, scratch, args.dw_gates);
  transposed_product(schedule.frames(), {all_rh.data<float>(), n}, n, dz_candidate, n, false,
                     args.dw_candidate.data<float>(), nullptr, scratch);
  schedule.clear_padding(args.dz_gates);
  schedule.clear_padding(args.dz_candidate);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
}

}  // namespace wende::cpu
