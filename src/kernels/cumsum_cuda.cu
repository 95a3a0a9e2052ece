#include "device/cuda_check.cuh"
#include "kernels/cumsum.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// A thread walks along time, its neighbours along the inner axis.
template <class T>
__global__ void __launch_bounds__(kThreads)
    cumsum_kernel(const T* x, int64_t rows, int64_t times, int64_t inner, bool reverse, T* out) {
  const int64_t row = int64_t{blockIdx.x} * blockDim.x + threadIdx.x;
  if (row >= rows) return;
  const int64_t begin = row / inner * times * inner + row % inner;
  T sum = 0;
  for (int64_t step = 0; step < times; ++step) {
    const int64_t at = begin + (reverse ? times - 1 - step : step) * inner;
    sum = step == 0 ? x[at] : sum + x[at];
    out[at] = sum;
  }
}

template <class T>
void cumsum_of(const Tensor& x, bool reverse, const Tensor& out) {
  const int64_t rows = x.dim(0) * x.dim(2);
  launch(cumsum_kernel<T>, static_cast<unsigned>((rows + kThreads - 1) / kThreads), kThreads, 0, device_data<T>(x),
         rows, x.dim(1), x.dim(2), reverse, device_data<T>(out));
}

}  // namespace

void cumsum(const Tensor& x, bool reverse, const Tensor& out) {
  if (x.dtype() == DType::kInt32) {
    cumsum_of<int32_t>(x, reverse, out);
  } else {
    cumsum_of<float>(x, reverse, out);
  }
}

}  // namespace wende::cuda
