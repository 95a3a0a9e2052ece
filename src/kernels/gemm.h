#pragma once

#include <cstdint>

#include "device/on_device.h"

namespace wende::cpu {

/// C [m,n] = alpha * op(A) [m,k] * op(B) [k,n] + beta * C, row-major float32; op transposes where ta, tb say so.
/// beta = 0 never reads C. Safe to call from several threads.
void gemm(bool ta, bool tb, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda, const float* b,
          int64_t ldb, float beta, float* c, int64_t ldc);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(gemm)
