#include "device/cuda_check.cuh"
#include "kernels/dropout.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

struct Mask {
  float threshold;
  float value;
  __device__ float operator()(float u) const { return u < threshold ? value : 0.0f; }
};
struct Uniform {
  float low;
  float range;
  __device__ float operator()(float u) const { return low + range * u; }
};

/// A thread makes the four numbers of one block of Philox.
template <class F>
__global__ void __launch_bounds__(kThreads) uniform_kernel(Philox philox, F f, int64_t elements, float* out) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t block = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; 4 * block < elements; block += step) {
    const auto words = philox.block(static_cast<uint64_t>(block));
    for (int64_t k = 0; k < 4 && 4 * block + k < elements; ++k) out[4 * block + k] = f(Philox::to_uniform(words[k]));
  }
}

__global__ void __launch_bounds__(kThreads) normal_kernel(Philox philox, float scale, int64_t elements, float* out) {
  const int64_t step = int64_t{gridDim.x} * blockDim.x;
  for (int64_t i = int64_t{blockIdx.x} * blockDim.x + threadIdx.x; i < elements; i += step) {
    out[i] = scale * philox.normal(static_cast<uint64_t>(i));
  }
}

template <class F>
void fill_uniform(const Philox& philox, F f, const Tensor& out) {
  const int64_t n = out.elements();
  launch(uniform_kernel<F>, blocks_for((n + 3) / 4), kThreads, 0, philox, f, n, device_data<float>(out));
}

}  // namespace

void dropout_mask(const Philox& philox, double keep, const Tensor& out) {
  fill_uniform(philox, Mask{static_cast<float>(keep), static_cast<float>(1.0 / keep)}, out);
}

void random_uniform(const Philox& philox, double low, double high, const Tensor& out) {
  fill_uniform(philox, Uniform{static_cast<float>(low), static_cast<float>(high - low)}, out);
}

void random_normal(const Philox& philox, double stddev, const Tensor& out) {
  launch(normal_kernel, blocks_for(out.elements()), kThreads, 0, philox, static_cast<float>(stddev), out.elements(),
         device_data<float>(out));
}

}  // namespace wende::cuda
