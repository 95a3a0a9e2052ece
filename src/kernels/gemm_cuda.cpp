#include <cublas_v2.h>
#include <fmt/core.h>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "kernels/gemm.h"
#include "kernels/matmul.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

void check_cublas(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw internal_error(fmt::format("cuBLAS: status {} in {}", static_cast<int>(status), call));
  }
}

cublasHandle_t handle() {
  static const cublasHandle_t kHandle = [] {
    cublasHandle_t created = nullptr;
    check_cublas(cublasCreate(&created), "cublasCreate");
    check_cublas(cublasSetStream(created, stream()), "cublasSetStream");
    return created;
  }();
  return kHandle;
}

cublasOperation_t operation(bool transposes) { return transposes ? CUBLAS_OP_T : CUBLAS_OP_N; }

}  // namespace

// cuBLAS counts columns first: what is C = A B in rows is C' = B' A' to it.
void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
          const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  if (m == 0 || n == 0) return;
  check_cublas(cublasSgemm(handle(), operation(transpose_b), operation(transpose_a), static_cast<int>(n),
                           static_cast<int>(m), static_cast<int>(k), &alpha, b, static_cast<int>(ldb), a,
                           static_cast<int>(lda), &beta, c, static_cast<int>(ldc)),
               "cublasSgemm");
  after_launch();
}

void batch_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, const Tensor& out) {
  const int64_t m = out.dim(-2);
  const int64_t n = out.dim(-1);
  const int64_t k = transpose_a ? a.dim(-2) : a.dim(-1);
  if (out.elements() == 0) return;
  const float one = 1.0f;
  const float zero = 0.0f;
  check_cublas(cublasSgemmStridedBatched(handle(), operation(transpose_b), operation(transpose_a), static_cast<int>(n),
                                         static_cast<int>(m), static_cast<int>(k), &one, device_data<float>(b),
                                         static_cast<int>(b.dim(-1)), k * n, device_data<float>(a),
                                         static_cast<int>(a.dim(-1)), m * k, &zero, device_data<float>(out),
                                         static_cast<int>(n), m * n, static_cast<int>(out.elements() / (m * n))),
               "cublasSgemmStridedBatched");
  after_launch();
}

}  // namespace wende::cuda
