#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "kernels/softmax.h"
#include "kernels/vector_math.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// x as [outer, size, inner] around an axis.
struct Layout {
  int64_t outer = 1;
  int64_t size = 1;
  int64_t inner = 1;
};

Layout layout_of(const Tensor& x, int axis) {
  Layout layout;
  if (axis < 0) axis += x.rank();
  for (int i = 0; i < x.rank(); ++i) {
    (i < axis ? layout.outer : i == axis ? layout.size : layout.inner) *= x.dim(i);
  }
  return layout;
}

/// One block per row.
__global__ void softmax_row_kernel(const float* x, int64_t n, bool log, float* out) {
  const float* from = x + int64_t{blockIdx.x} * n;
  float* to = out + int64_t{blockIdx.x} * n;
  float most = -INFINITY;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) most = Largest()(most, from[i]);
  most = block_reduce(most, -INFINITY, Largest());
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += vm::exp(from[i] - most);
  sum = block_reduce(sum, 0.0f, Sum());
  const float shift = most + vm::log(sum);
  const float scale = 1.0f / sum;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    to[i] = log ? from[i] - shift : vm::exp(from[i] - most) * scale;
  }
}

/// One thread per slice; neighbouring threads read neighbouring memory.
__global__ void __launch_bounds__(kThreads) softmax_slice_kernel(Layout at, const float* x, bool log, float* out) {
  const int64_t slice = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (slice >= at.outer * at.inner) return;
  const int64_t base = slice / at.inner * at.size * at.inner + slice % at.inner;
  float most = -INFINITY;
  for (int64_t i = 0; i < at.size; ++i) most = Largest()(most, x[base + i * at.inner]);
  float sum = 0.0f;
  for (int64_t i = 0; i < at.size; ++i) sum += vm::exp(x[base + i * at.inner] - most);
  const float log_sum = vm::log(sum);
  const float scale = 1.0f / sum;
  for (int64_t i = 0; i < at.size; ++i) {
    const float value = x[base + i * at.inner] - most;
    out[base + i * at.inner] = log ? value - log_sum : vm::exp(value) * scale;
  }
}

__device__ float grad_of(float y, float dy, float dot, bool log) {
  return log ? dy - vm::exp(y) * dot : y * (dy - dot);
}

__global__ void grad_row_kernel(const float* y, const float* dy, int64_t n, bool log, float* dx) {
  const int64_t base = int64_t{blockIdx.x} * n;
  float dot = 0.0f;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) dot += log ? dy[base + i] : y[base + i] * dy[base + i];
  dot = block_reduce(dot, 0.0f, Sum());
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) dx[base + i] = grad_of(y[base + i], dy[base + i], dot, log);
}

__global__ void __launch_bounds__(kThreads)
    grad_slice_kernel(Layout at, const float* y, const float* dy, bool log, float* dx) {
  const int64_t slice = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (slice >= at.outer * at.inner) return;
  const int64_t base = slice / at.inner * at.size * at.inner + slice % at.inner;
  float dot = 0.0f;
  for (int64_t i = 0; i < at.size; ++i) {
    const int64_t k = base + i * at.inner;
    dot += log ? dy[k] : y[k] * dy[k];
  }
  for (int64_t i = 0; i < at.size; ++i) {
    const int64_t k = base + i * at.inner;
    dx[k] = grad_of(y[k], dy[k], dot, log);
  }
}

unsigned blocks_of_slices(const Layout& at) {
  return static_cast<unsigned>((at.outer * at.inner + kThreads - 1) / kThreads);
}

}  // namespace

void softmax(const Tensor& x, int axis, bool log, const Tensor& out) {
  if (x.elements() == 0) return;
  const Layout at = layout_of(x, axis);
  const float* from = device_data<float>(x);
  float* to = device_data<float>(out);
  if (at.inner == 1) {
    launch(softmax_row_kernel, static_cast<unsigned>(at.outer), threads_for_row(at.size), 0, from, at.size, log, to);
  } else {
    launch(softmax_slice_kernel, blocks_of_slices(at), kThreads, 0, at, from, log, to);
  }
}

void softmax_grad(const Tensor& y, const Tensor& dy, int axis, bool log, const Tensor& dx) {
  if (y.elements() == 0) return;
  const Layout at = layout_of(y, axis);
  const float* py = device_data<float>(y);
  const float* pdy = device_data<float>(dy);
  float* to = device_data<float>(dx);
  if (at.inner == 1) {
    launch(grad_row_kernel, static_cast<unsigned>(at.outer), threads_for_row(at.size), 0, py, pdy, at.size, log, to);
  } else {
    launch(grad_slice_kernel, blocks_of_slices(at), kThreads, 0, at, py, pdy, log, to);
  }
}

}  // namespace wende::cuda
