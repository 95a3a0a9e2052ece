#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/window.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

__global__ void __launch_bounds__(kThreads) window_kernel(const float* x, int64_t left, int64_t times, int64_t width,
                                                          int64_t inner, int64_t elements, float* out) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t k = i % inner;
    const int64_t w = i / inner % width;
    const int64_t t = i / inner / width % times;
    const int64_t o = i / inner / width / times;
    const int64_t from = t + w - left;
    out[i] = from >= 0 && from < times ? x[(o * times + from) * inner + k] : 0.0f;
  }
}

__global__ void __launch_bounds__(kThreads)
    window_sum_kernel(const float* x, int64_t left, int64_t times, int64_t width, int64_t inner, int64_t elements,
                      float* out) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t k = i % inner;
    const int64_t t = i / inner % times;
    const int64_t o = i / inner / times;
    float sum = 0.0f;
    for (int64_t w = 0; w < width; ++w) {
      const int64_t at = t - w + left;
      if (at >= 0 && at < times) sum += x[((o * times + at) * width + w) * inner + k];
    }
    out[i] = sum;
  }
}

}  // namespace

void window(const Tensor& x, int64_t left, const Tensor& out) {
  launch(window_kernel, blocks_for(out.elements()), kThreads, 0, device_data<float>(x), left, out.dim(1), out.dim(2),
         out.dim(3), out.elements(), device_data<float>(out));
}

void window_sum(const Tensor& x, int64_t left, const Tensor& out) {
  launch(window_sum_kernel, blocks_for(out.elements()), kThreads, 0, device_data<float>(x), left, x.dim(1), x.dim(2),
         x.dim(3), out.elements(), device_data<float>(out));
}

}  // namespace wende::cuda
