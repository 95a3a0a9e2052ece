#include <cstring>

#include "kernels/gemm.h"
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

/// Gradients of the candidate's and u's pre-activations; dh becomes what flows on directly, dh * u.
void state_backward(int64_t n, const float* __restrict u, const float* __restrict candidate,
                    const float* __restrict previous, float* __restrict dh, float* __restrict dzu,
                    float* __restrict dzc) {
  for (int64_t k = 0; k < n; ++k) {
    const float c = candidate[k];
    dzc[k] = dh[k] * (1.0f - u[k]) * (1.0f - c * c);
    dzu[k] = dh[k] * (previous[k] - c) * u[k] * (1.0f - u[k]);
    dh[k] *= u[k];
  }
}

/// drh: gradient of r*h.
void reset_backward(int64_t n, const float* __restrict r, const float* __restrict previous, const float* __restrict drh,
                    float* __restrict dh, float* __restrict dzr) {
  for (int64_t k = 0; k < n; ++k) {
    dzr[k] = drh[k] * previous[k] * r[k] * (1.0f - r[k]);
    dh[k] += drh[k] * r[k];
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
  float* saved_gates = data_or_null(args.gates);
  float* saved_candidate = data_or_null(args.candidate);
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    gemm(false, false, active, 2 * n, n, 1.0f, h, n, args.w_gates.data<float>(), 2 * n, 0.0f, rz, 2 * n);
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      gates_forward(n, args.z_gates.data<float>() + row * 2 * n, rz + r * 2 * n, h + r * n, gates + r * 2 * n,
                    rh + r * n);
      if (saved_gates) {
        std::memcpy(saved_gates + row * 2 * n, gates + r * 2 * n, static_cast<size_t>(2 * n) * sizeof(float));
      }
    }
    gemm(false, false, active, n, n, 1.0f, rh, n, args.w_candidate.data<float>(), n, 0.0f, rc, n);
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
  const size_t row_bytes = static_cast<size_t>(n) * sizeof(float);
  const RecurrentSchedule schedule(args.lengths, args.dz_candidate.dim(0), direction);
  const int64_t batch = schedule.batch();
  const Tensor memory = scratch(Shape{batch * 3 * n});
  float* dh = memory.data<float>();
  float* h0 = dh + batch * n;
  float* drh = h0 + batch * n;
  schedule.load(args.d_last_h, n, dh);
  schedule.load(args.h0, n, h0);
  const Tensor gates_transposed = scratch(Shape{2 * n, n});
  gates_transposed.copy_from(args.w_gates.permuted({1, 0}));
  const Tensor candidate_transposed = scratch(Shape{n, n});
  candidate_transposed.copy_from(args.w_candidate.permuted({1, 0}));
  WeightGradSum dw_gates(args.dw_gates, batch, schedule.frames(), scratch);
  WeightGradSum dw_candidate(args.dw_candidate, batch, schedule.frames(), scratch);
  const float* gates = args.gates.data<float>();
  const float* y = args.y.data<float>();
  const float* dy = data_or_null(args.dy);
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    dw_gates.begin(active);
    dw_candidate.begin(active);
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      float* previous = dw_gates.a() + r * n;
      std::memcpy(previous, step == 0 ? h0 + r * n : y + schedule.row(r, step - 1) * n, row_bytes);
      multiply(n, gates + row * 2 * n, previous, dw_candidate.a() + r * n);
      if (dy) add_to(n, dy + row * n, dh + r * n);
      state_backward(n, gates + row * 2 * n + n, args.candidate.data<float>() + row * n, previous, dh + r * n,
                     dw_gates.b() + r * 2 * n + n, dw_candidate.b() + r * n);
    }
    gemm(false, false, active, n, n, 1.0f, dw_candidate.b(), n, candidate_transposed.data<float>(), n, 0.0f, drh, n);
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      float* dz = dw_gates.b() + r * 2 * n;
      reset_backward(n, gates + row * 2 * n, dw_gates.a() + r * n, drh + r * n, dh + r * n, dz);
      std::memcpy(args.dz_gates.data<float>() + row * 2 * n, dz, 2 * row_bytes);
      std::memcpy(args.dz_candidate.data<float>() + row * n, dw_candidate.b() + r * n, row_bytes);
    }
    gemm(false, false, active, n, 2 * n, 1.0f, dw_gates.b(), 2 * n, gates_transposed.data<float>(), n, 1.0f, dh, n);
    dw_gates.end();
    dw_candidate.end();
  }
  dw_gates.finish();
  dw_candidate.finish();
  schedule.clear_padding(args.dz_gates);
  schedule.clear_padding(args.dz_candidate);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
}

}  // namespace wende::cpu
