#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/pool.h"
#include "kernels/window_walk_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// One window: which place has the largest element (-1: one of the zeros around x, or none), and the mean's divisor.
struct Pooling {
  WindowWalk walk;
  bool counted;
  int64_t channels;

  struct Best {
    float value;
    int64_t row;
  };
  /// x: of the sequence and channel. The first of equal ones.
  __device__ Best best(const float* x, int64_t output) const {
    Best best{-INFINITY, -1};
    for (int64_t k = 0; k < walk.places(); ++k) {
      const int64_t row = walk.input_of(output, k);
      if (row < 0 && !counted) continue;
      const float value = row < 0 ? 0.0f : x[row * channels];
      if (best.value < value) best = {value, row};
    }
    return best;
  }
  __device__ float factor(int64_t output) const {
    int64_t count = 0;
    for (int64_t k = 0; k < walk.places(); ++k) count += counted || walk.input_of(output, k) >= 0;
    return 1.0f / static_cast<float>(count > 0 ? count : 1);
  }
};

__global__ void __launch_bounds__(kThreads)
    max_pool_kernel(Pooling pooling, const float* x, int64_t elements, float* y) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t row = i / pooling.channels;
    const int64_t sequence = row / pooling.walk.outputs();
    const float* from = x + sequence * pooling.walk.inputs() * pooling.channels + i % pooling.channels;
    y[i] = pooling.best(from, row % pooling.walk.outputs()).value;
  }
}

__global__ void __launch_bounds__(kThreads)
    mean_pool_kernel(Pooling pooling, const float* x, int64_t elements, float* y) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t row = i / pooling.channels;
    const int64_t output = row % pooling.walk.outputs();
    const float* from =
        x + row / pooling.walk.outputs() * pooling.walk.inputs() * pooling.channels + i % pooling.channels;
    float sum = 0.0f;
    for (int64_t k = 0; k < pooling.walk.places(); ++k) {
      const int64_t at = pooling.walk.input_of(output, k);
      if (at >= 0) sum += from[at * pooling.channels];
    }
    y[i] = sum * pooling.factor(output);
  }
}

/// Each element of dx looks at the windows that cover it. x is null for the mean.
__global__ void __launch_bounds__(kThreads)
    pool_grad_kernel(Pooling pooling, const float* x, const float* dy, int64_t elements, float* dx) {
  for (const int64_t i : grid_range(elements)) {
    const int64_t channel = i % pooling.channels;
    const int64_t row = i / pooling.channels % pooling.walk.inputs();
    const int64_t sequence = i / pooling.channels / pooling.walk.inputs();
    float sum = 0.0f;
    for (int64_t k = 0; k < pooling.walk.places(); ++k) {
      const int64_t output = pooling.walk.output_of(row, k);
      if (output < 0) continue;
      const float g = dy[(sequence * pooling.walk.outputs() + output) * pooling.channels + channel];
      if (x == nullptr) {
        sum += g * pooling.factor(output);
      } else {
        const float* from = x + sequence * pooling.walk.inputs() * pooling.channels + channel;
        if (pooling.best(from, output).row == row) sum += g;
      }
    }
    dx[i] = sum;
  }
}

Pooling pooling_of(const Tensor& x, const Tensor& y, const cpu::PoolGeometry& geometry) {
  return {WindowWalk::make(x, y, geometry.walk, geometry.size.data()), geometry.counted, x.dim(-1)};
}

}  // namespace

void max_pool(const Tensor& x, const cpu::PoolGeometry& geometry, const Tensor& y) {
  launch(max_pool_kernel, blocks_for(y.elements()), kThreads, 0, pooling_of(x, y, geometry), device_data<float>(x),
         y.elements(), device_data<float>(y));
}

void mean_pool(const Tensor& x, const cpu::PoolGeometry& geometry, const Tensor& y) {
  launch(mean_pool_kernel, blocks_for(y.elements()), kThreads, 0, pooling_of(x, y, geometry), device_data<float>(x),
         y.elements(), device_data<float>(y));
}

void max_pool_grad(const Tensor& x, const Tensor& dy, const cpu::PoolGeometry& geometry, const Tensor& dx) {
  launch(pool_grad_kernel, blocks_for(dx.elements()), kThreads, 0, pooling_of(x, dy, geometry), device_data<float>(x),
         device_data<float>(dy), dx.elements(), device_data<float>(dx));
}

void mean_pool_grad(const Tensor& dy, const cpu::PoolGeometry& geometry, const Tensor& dx) {
  const float* no_x = nullptr;
  launch(pool_grad_kernel, blocks_for(dx.elements()), kThreads, 0, pooling_of(dx, dy, geometry), no_x,
         device_data<float>(dy), dx.elements(), device_data<float>(dx));
}

}  // namespace wende::cuda
