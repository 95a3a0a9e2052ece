#pragma once

#include <cstdint>

/// For CUDA sources: products by cuBLASLt.
namespace wende::cuda {

/// What happens with a product on its way to memory.
enum class Epilogue {
  kNone,
  kBias,      ///< + bias [n]
  kRelu,      ///< max(0, .)
  kBiasRelu,  ///< max(0, . + bias)
  kSumB,      ///< nothing, but sums [n] over the k rows of op(B) are written beside it
};

/// `batch` times C [m,n] = alpha op(A) [m,k] op(B) [k,n] + beta C, row-major float32; op transposes. beta = 0 never
/// reads C. Operands are rounded as product_precision() says.
struct Product {
  bool transpose_a = false;
  bool transpose_b = false;
  int64_t m = 0;
  int64_t n = 0;
  int64_t k = 0;
  const float* a = nullptr;
  int64_t lda = 0;
  const float* b = nullptr;
  int64_t ldb = 0;
  float* c = nullptr;
  int64_t ldc = 0;
  float alpha = 1.0f;
  float beta = 0.0f;
  Epilogue epilogue = Epilogue::kNone;
  float* vector = nullptr;  ///< the bias, which is read, or the sums, which are written
  int64_t batch = 1;
  int64_t stride_a = 0;  ///< from one matrix of the batch to the next
  int64_t stride_b = 0;
  int64_t stride_c = 0;
};

/// False, with nothing done: there is no algorithm with this epilogue here. Throws if there is none without it.
bool multiply(const Product& product);

}  // namespace wende::cuda
