#include <cstring>

#include "kernels/gemm.h"
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
  for (int64_t step = 0; step < schedule.steps(); ++step) {
    const int64_t active = schedule.active(step);
    gemm(false, false, active, n, n, 1.0f, h, n, args.w_re.data<float>(), n, 0.0f, rz, n);
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
  const size_t row_bytes = static_cast<size_t>(n) * sizeof(float);
  const RecurrentSchedule schedule(args.lengths, args.dz.dim(0), direction);
  const Tensor memory = scratch(Shape{schedule.batch() * 2 * n});
  float* dh = memory.data<float>();
  float* h0 = dh + schedule.batch() * n;
  schedule.load(args.d_last_h, n, dh);
  schedule.load(args.h0, n, h0);
  const Tensor transposed = scratch(Shape{n, n});
  transposed.copy_from(args.w_re.permuted({1, 0}));
  WeightGradSum dw(args.dw_re, schedule.batch(), schedule.frames(), scratch);
  const float* y = args.y.data<float>();
  for (int64_t step = schedule.steps() - 1; step >= 0; --step) {
    const int64_t active = schedule.active(step);
    dw.begin(active);
    for (int64_t r = 0; r < active; ++r) {
      const int64_t row = schedule.row(r, step);
      float* dz = dw.b() + r * n;
      cell_backward(n, y + row * n, dh + r * n, args.dy.defined() ? args.dy.data<float>() + row * n : nullptr, dz);
      std::memcpy(args.dz.data<float>() + row * n, dz, row_bytes);
      std::memcpy(dw.a() + r * n, step == 0 ? h0 + r * n : y + schedule.row(r, step - 1) * n, row_bytes);
    }
    gemm(false, false, active, n, n, 1.0f, dw.b(), n, transposed.data<float>(), n, 0.0f, dh, n);
    dw.end();
  }
  dw.finish();
  schedule.clear_padding(args.dz);
  if (args.dh0.defined()) schedule.store(dh, args.dh0);
}

}  // namespace wende::cpu
