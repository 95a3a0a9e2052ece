#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/gemm.h"
#include "kernels/recurrent_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Frame length - 1 of each sequence; zero for empty ones.
__global__ void __launch_bounds__(kThreads)
    last_frames_kernel(const float* x, const int32_t* lengths, int64_t batch, int64_t n, float* out) {
  for (const int64_t i : grid_range(batch * n)) {
    const int64_t b = i / n;
    out[i] = lengths[b] == 0 ? 0.0f : x[((lengths[b] - 1) * batch + b) * n + i % n];
  }
}

}  // namespace

void load_state(const Tensor& rows, const Tensor& state) {
  if (rows.defined()) {
    state.copy_from(rows.reshaped(state.shape()));
  } else {
    clear(state);
  }
}

void recurrent_weight_grad(const Tensor& y, const Tensor& h0, const Tensor& dz, const Tensor& lengths, int direction,
                           const cpu::Scratch& scratch, const Tensor& dw) {
  const int64_t steps = y.dim(0);
  const int64_t batch = y.dim(1);
  const int64_t n = y.dim(2);
  const int64_t m = dz.dim(2);
  const int64_t rows = steps > 1 ? (steps - 1) * batch : 0;
  const float* states = device_data<float>(y) + (direction > 0 ? 0 : batch * n);
  const float* grads = device_data<float>(dz) + (direction > 0 ? batch * m : 0);
  float* to = device_data<float>(dw);
  if (rows == 0) {
    clear(dw);
  } else {
    gemm(true, false, n, m, rows, 1.0f, states, n, grads, m, 0.0f, to, m);
  }
  if (!h0.defined() || steps == 0) return;
  const float* first = device_data<float>(dz);
  Tensor last;
  if (direction < 0) {
    last = scratch(Shape{batch, m});
    launch(last_frames_kernel, blocks_for(batch * m), kThreads, 0, device_data<float>(dz),
           device_data<int32_t>(lengths), batch, m, device_data<float>(last));
    first = device_data<float>(last);
  }
  gemm(true, false, n, m, batch, 1.0f, device_data<float>(h0), n, first, m, 1.0f, to, m);
}

}  // namespace wende::cuda
