#include "device/block_reduce.cuh"
#include "device/cuda_check.cuh"
#include "device/kernel_fault.cuh"
#include "kernels/cross_entropy.h"
#include "kernels/log_sum_exp_cuda.cuh"
#include "kernels/vector_math.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// One block per row, in all kernels here.
__global__ void sparse_kernel(const float* logits, const int32_t* labels, const bool* valid, int64_t n, float* loss,
                              float* lse, KernelFault* fault) {
  const int64_t row = blockIdx.x;
  if (valid != nullptr && !valid[row]) {
    if (threadIdx.x == 0) loss[row] = lse[row] = 0.0f;
    return;
  }
  const float* x = logits + row * n;
  const float shift = row_log_sum_exp(x, n);
  if (threadIdx.x == 0) {
    lse[row] = shift;
    loss[row] = shift - x[checked_index(fault, FaultKind::kLabel, labels[row], n)];
  }
}

__global__ void sparse_grad_kernel(const float* logits, const float* lse, const int32_t* labels, const bool* valid,
                                   const float* dloss, int64_t n, float* dlogits) {
  const int64_t row = blockIdx.x;
  const float* x = logits + row * n;
  float* to = dlogits + row * n;
  const float scale = valid != nullptr && !valid[row] ? 0.0f : dloss[row];
  const float shift = lse[row];
  const int64_t label = labels[row];
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    to[i] = scale == 0.0f ? 0.0f : vm::exp(x[i] - shift) * scale - (i == label ? scale : 0.0f);
  }
}

__global__ void dense_kernel(const float* logits, const float* targets, int64_t n, float* loss, float* lse) {
  const int64_t row = blockIdx.x;
  const float* x = logits + row * n;
  const float* target = targets + row * n;
  const float shift = row_log_sum_exp(x, n);
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += target[i] * (shift - x[i]);
  sum = block_reduce(sum, 0.0f, Sum());
  if (threadIdx.x == 0) {
    lse[row] = shift;
    loss[row] = sum;
  }
}

__global__ void dense_grad_kernel(const float* logits, const float* lse, const float* targets, const float* dloss,
                                  int64_t n, float* dlogits) {
  const int64_t base = int64_t{blockIdx.x} * n;
  float sum = 0.0f;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) sum += targets[base + i];
  sum = block_reduce(sum, 0.0f, Sum());
  const float scale = dloss[blockIdx.x];
  const float shift = lse[blockIdx.x];
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    dlogits[base + i] = (vm::exp(logits[base + i] - shift) * sum - targets[base + i]) * scale;
  }
}

__global__ void target_grad_kernel(const float* logits, const float* lse, const float* dloss, int64_t n,
                                   float* dtargets) {
  const int64_t base = int64_t{blockIdx.x} * n;
  for (int64_t i = threadIdx.x; i < n; i += blockDim.x) {
    dtargets[base + i] = (lse[blockIdx.x] - logits[base + i]) * dloss[blockIdx.x];
  }
}

unsigned rows_of(const Tensor& per_row) { return static_cast<unsigned>(per_row.elements()); }

}  // namespace

void cross_entropy(const Tensor& logits, const Tensor& labels, const Tensor& valid, const Tensor& loss,
                   const Tensor& lse) {
  const int64_t n = logits.dim(-1);
  launch(sparse_kernel, rows_of(loss), threads_for_row(n), 0, device_data<float>(logits), device_data<int32_t>(labels),
         device_data_or_null<bool>(valid), n, device_data<float>(loss), device_data<float>(lse), fault_slot());
}

void cross_entropy_grad(const Tensor& logits, const Tensor& lse, const Tensor& labels, const Tensor& valid,
                        const Tensor& dloss, const Tensor& dlogits) {
  const int64_t n = logits.dim(-1);
  launch(sparse_grad_kernel, rows_of(dloss), threads_for_row(n), 0, device_data<float>(logits), device_data<float>(lse),
         device_data<int32_t>(labels), device_data_or_null<bool>(valid), device_data<float>(dloss), n,
         device_data<float>(dlogits));
}

void cross_entropy_dense(const Tensor& logits, const Tensor& targets, const Tensor& loss, const Tensor& lse) {
  const int64_t n = logits.dim(-1);
  launch(dense_kernel, rows_of(loss), threads_for_row(n), 0, device_data<float>(logits), device_data<float>(targets), n,
         device_data<float>(loss), device_data<float>(lse));
}

void cross_entropy_dense_grad(const Tensor& logits, const Tensor& lse, const Tensor& targets, const Tensor& dloss,
                              const Tensor& dlogits) {
  const int64_t n = logits.dim(-1);
  launch(dense_grad_kernel, rows_of(dloss), threads_for_row(n), 0, device_data<float>(logits), device_data<float>(lse),
         device_data<float>(targets), device_data<float>(dloss), n, device_data<float>(dlogits));
}

void cross_entropy_target_grad(const Tensor& logits, const Tensor& lse, const Tensor& dloss, const Tensor& dtargets) {
  const int64_t n = logits.dim(-1);
  launch(target_grad_kernel, rows_of(dloss), threads_for_row(n), 0, device_data<float>(logits), device_data<float>(lse),
         device_data<float>(dloss), n, device_data<float>(dtargets));
}

}  // namespace wende::cuda
