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

float* data_or_null(const Tensor& x) { return x.defined() ? x.data<float>() : nullptr; }

}  // namespace

void gru_forward(const GruForward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_candidate.dim(0);
  const RecurrentSchedule schedule(args.lengths, args.z_candidate.dim(0), direction);
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
  float* saved_gates = data_or_null(args.gates);
  float* saved_candidate = data_or_null(args.candidate);
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    w_gates.multiply(active, {h, n}, {rz, 2 * n});
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      gates_forward(n, args.z_gates.data<float>() + row * 2 * n, rz + r * 2 * n, h + r * n, gates + r * 2 * n,
                    rh + r * n);
      if (saved_gates) {
        std::memcpy(saved_gates + row * 2 * n, gates + r * 2 * n, static_cast<size_t>(2 * n) * sizeof(float));
      }
    }
    w_candidate.multiply(active, {rh, n}, {rc, n});
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      state_forward(n, args.z_candidate.data<float>() + row * n, rc + r * n, gates + r * 2 * n + n,
                    saved_candidate ? saved_candidate + row * n : unsaved, h + r * n, args.y.data<float>() + row * n);
    }
  }
  schedule.clear_padding(args.y);
  if (args.last_h.defined()) schedule.store(h, args.last_h);
}

void gru_backward(const GruBackward& args, int direction, const Scratch& scratch) {
  const int64_t n = args.w_candidate.dim(0);
  const RecurrentSchedule schedule(args.lengths, args.dz_candidate.dim(0), direction);
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
  const float* gates = args.gates.data<float>();
  float* y = args.y.data<float>();
  const float* dy = data_or_null(args.dy);
  float* dz_gates = args.dz_gates.data<float>();
  float* dz_candidate = args.dz_candidate.data<float>();
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    const int64_t* rows = schedule.rows(step);
    const auto previous = [&](int64_t r) { return step == 0 ? h0 + r * n : y + schedule.row(r, step - 1) * n; };
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = rows[r];
      multiply(n, gates + row * 2 * n, previous(r), all_rh.data<float>() + (schedule.first(step) + r) * n);
      if (dy) add_to(n, dy + row * n, dh + r * n);
      state_backward(n, gates + row * 2 * n + n, args.candidate.data<float>() + row * n, previous(r), dh + r * n,
                     dz_gates + row * 2 * n + n, dz_candidate + row * n);
    }
    w_candidate.multiply(active, {dz_candidate, n, rows}, {drh, n});
    for (int64_t r = 0; r < active; ++r) {
      reset_backward(n, gates + rows[r] * 2 * n, previous(r), drh + r * n, dh + r * n, dz_gates + rows[r] * 2 * n);
    }
    w_gates.multiply(active, {dz_gates, 2 * n, rows}, {dh, n}, true);
  }
  recurrent_weight_grad(schedule, args.y, args.h0, args.dz_gates, scratch, args.dw_gates);
  transposed_product(schedule.frames(), {all_rh.data<float>(), n}, n,
                     {dz_candidate, n, schedule.steps() > 0 ? schedule.rows(0) : nullptr}, n, false,
                     args.dw_candidate.data<float>(), nullptr, scratch);
  schedule.clear_padding(args.dz_gates);
  schedule.clear_padding(args.dz_candidate);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
}

}  // namespace wende::cpu
