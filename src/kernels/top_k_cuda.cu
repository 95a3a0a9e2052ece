#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "kernels/ordered_key_cuda.cuh"
#include "kernels/top_k.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// A block per row finds the largest key, then the largest below that, and so on.
template <class T>
__global__ void __launch_bounds__(kThreads)
    top_k_kernel(const T* x, int64_t n, int64_t k, T* values, int32_t* indices) {
  const T* row = x + blockIdx.x * n;
  Key last = ~Key{0};
  for (int64_t place = 0; place < k; ++place) {
    Key best = 0;
    for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
      const Key key = key_of(row[i], i);
      if (key < last && key > best) best = key;
    }
    last = block_reduce(best, Key{0}, Largest());
    if (threadIdx.x == 0) {
      const auto index = static_cast<int32_t>(index_of(last));
      indices[blockIdx.x * k + place] = index;
      values[blockIdx.x * k + place] = row[index];
    }
  }
}

template <class T>
void top_k_of(const Tensor& x, const Tensor& values, const Tensor& indices) {
  const int64_t n = x.dim(-1);
  if (n == 0) return;
  launch(top_k_kernel<T>, static_cast<unsigned>(x.elements() / n), threads_for_row(n), 0, device_data<T>(x), n,
         values.dim(-1), device_data<T>(values), device_data<int32_t>(indices));
}

}  // namespace

void top_k(const Tensor& x, const Tensor& values, const Tensor& indices) {
  if (x.dtype() == DType::kInt32) {
    top_k_of<int32_t>(x, values, indices);
  } else {
    top_k_of<float>(x, values, indices);
  }
}

}  // namespace wende::cuda
