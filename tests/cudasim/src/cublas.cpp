// cudasim: the cuBLAS calls the project uses, column major as cuBLAS: float32 by oneDNN, others on a plain triple loop.
#include <cublas_v2.h>
#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <dnnl.h>

#include "core.hpp"

struct cublasContext {
  cudaStream_t stream = nullptr;
  cublasPointerMode_t mode = CUBLAS_POINTER_MODE_HOST;
};
namespace {
using namespace cudasim;
float load(const void* p, cudaDataType t, std::size_t i) {
  if (t == CUDA_R_16F) return __half2float(((const __half*)p)[i]);
  if (t == CUDA_R_16BF) return __bfloat162float(((const __nv_bfloat16*)p)[i]);
  return ((const float*)p)[i];
}
void store(void* p, cudaDataType t, std::size_t i, float v) {
  if (t == CUDA_R_16F)
    ((__half*)p)[i] = __float2half(v);
  else if (t == CUDA_R_16BF)
    ((__nv_bfloat16*)p)[i] = __float2bfloat16(v);
  else
    ((float*)p)[i] = v;
}
std::size_t size_of(cudaDataType t) { return t == CUDA_R_32F ? 4 : 2; }
std::size_t extent(int rows, int cols, int ld) { return rows && cols ? std::size_t(cols - 1) * ld + rows : 0; }
cublasStatus_t gemm(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                    const void* alpha, const void* A, cudaDataType at, int lda, long long sa, const void* B,
                    cudaDataType bt, int ldb, long long sb, const void* beta, void* C, cudaDataType ct, int ldc,
                    long long sc, int batch) {
  if (m < 0 || n < 0 || k < 0 || lda < std::max(1, ta ? k : m) || ldb < std::max(1, tb ? n : k) || ldc < std::max(1, m))
    return CUBLAS_STATUS_INVALID_VALUE;
  const bool dev = h->mode == CUBLAS_POINTER_MODE_DEVICE;
  if (!dev && (in_arena(alpha) || in_arena(beta))) {
    report("device-scalar", "cuBLAS alpha/beta are device pointers in CUBLAS_POINTER_MODE_HOST",
           __builtin_return_address(0));
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const float al = dev ? 0 : *(const float*)alpha,
              be = dev ? 0 : *(const float*)beta;  // host scalars are read at the call
  enqueue(h->stream, "cublas gemm", [=] {
    float a_ = al, b_ = be;
    if (dev) {
      if (!lib_access("cuBLAS alpha", alpha, 4, false) || !lib_access("cuBLAS beta", beta, 4, false)) return;
      a_ = *(const float*)alpha;
      b_ = *(const float*)beta;
    }
    for (int q = 0; q < batch; ++q) {
      const char* a = (const char*)A + q * sa * size_of(at);
      const char* b = (const char*)B + q * sb * size_of(bt);
      char* c = (char*)C + q * sc * size_of(ct);
      if (!lib_access("cuBLAS A", a, extent(ta ? k : m, ta ? m : k, lda) * size_of(at), false) ||
          !lib_access("cuBLAS B", b, extent(tb ? n : k, tb ? k : n, ldb) * size_of(bt), false) ||
          !lib_access("cuBLAS C", c, extent(m, n, ldc) * size_of(ct), true))
        return;
      if (at == CUDA_R_32F && bt == CUDA_R_32F && ct == CUDA_R_32F && m > 0 && n > 0 && k > 0) {
        // oneDNN counts rows first: C' = B' A' there.
        dnnl_sgemm(tb ? 'T' : 'N', ta ? 'T' : 'N', n, m, k, a_, (const float*)b, ldb, (const float*)a, lda, b_,
                   (float*)c, ldc);
        continue;
      }
      for (int j = 0; j < n; ++j)
        for (int i = 0; i < m; ++i) {
          float s = 0;
          for (int p = 0; p < k; ++p)
            s += load(a, at, ta ? p + std::size_t(i) * lda : i + std::size_t(p) * lda) *
                 load(b, bt, tb ? j + std::size_t(p) * ldb : p + std::size_t(j) * ldb);
          std::size_t x = i + std::size_t(j) * ldc;
          store(c, ct, x, a_ * s + (b_ == 0 ? 0 : b_ * load(c, ct, x)));
        }
    }
  });
  return sticky() == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
}  // namespace
extern "C" {
cublasStatus_t cublasCreate_v2(cublasHandle_t* h) {
  *h = new cublasContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasDestroy_v2(cublasHandle_t h) {
  delete h;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetStream_v2(cublasHandle_t h, cudaStream_t s) {
  h->stream = s;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetPointerMode_v2(cublasHandle_t h, cublasPointerMode_t m) {
  h->mode = m;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasSetMathMode(cublasHandle_t, cublasMath_t) { return CUBLAS_STATUS_SUCCESS; }
cublasStatus_t cublasSgemm_v2(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                              const float* al, const float* A, int lda, const float* B, int ldb, const float* be,
                              float* C, int ldc) {
  return gemm(h, ta, tb, m, n, k, al, A, CUDA_R_32F, lda, 0, B, CUDA_R_32F, ldb, 0, be, C, CUDA_R_32F, ldc, 0, 1);
}
cublasStatus_t cublasSgemmStridedBatched(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n,
                                         int k, const float* al, const float* A, int lda, long long sa, const float* B,
                                         int ldb, long long sb, const float* be, float* C, int ldc, long long sc,
                                         int batch) {
  return gemm(h, ta, tb, m, n, k, al, A, CUDA_R_32F, lda, sa, B, CUDA_R_32F, ldb, sb, be, C, CUDA_R_32F, ldc, sc,
              batch);
}
cublasStatus_t cublasGemmEx(cublasHandle_t h, cublasOperation_t ta, cublasOperation_t tb, int m, int n, int k,
                            const void* al, const void* A, cudaDataType at, int lda, const void* B, cudaDataType bt,
                            int ldb, const void* be, void* C, cudaDataType ct, int ldc, cublasComputeType_t,
                            cublasGemmAlgo_t) {
  return gemm(h, ta, tb, m, n, k, al, A, at, lda, 0, B, bt, ldb, 0, be, C, ct, ldc, 0, 1);
}
}
