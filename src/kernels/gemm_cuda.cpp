#include "kernels/gemm_cuda.h"

#include <cublasLt.h>
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/cuda_memory.h"
#include "device/product_precision.h"
#include "kernels/gemm.h"
#include "kernels/matmul.h"
#include "kernels/product_workspace.h"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

void check_library(cublasStatus_t status, const char* call) {
  if (status != CUBLAS_STATUS_SUCCESS) {
    throw internal_error(fmt::format("cuBLASLt: status {} in {}", static_cast<int>(status), call));
  }
}
#define WENDE_LT_CHECK(call) check_library((call), #call)

cublasLtHandle_t handle() {
  static const cublasLtHandle_t kHandle = [] {
    cublasLtHandle_t created = nullptr;
    WENDE_LT_CHECK(cublasLtCreate(&created));
    return created;
  }();
  return kHandle;
}

constexpr uint64_t kWorkspaceBytes = kProductWorkspaceBytes;

/// One block per stream, kept: products of two streams may run at the same time.
std::byte* workspace() {
  static auto* const blocks = new std::map<cudaStream_t, std::byte*>;
  std::byte*& block = (*blocks)[stream()];
  if (block == nullptr) block = allocate(kWorkspaceBytes);
  return block;
}

cublasComputeType_t compute_type(ProductPrecision precision) {
  switch (precision) {
    case ProductPrecision::kTf32:
      return CUBLAS_COMPUTE_32F_FAST_TF32;
    case ProductPrecision::kBf16:
      return CUBLAS_COMPUTE_32F_FAST_16BF;
    default:
      return CUBLAS_COMPUTE_32F;
  }
}

// A and B change places (see Plan), so the library's A is our B.
cublasLtEpilogue_t epilogue_of(Epilogue epilogue) {
  switch (epilogue) {
    case Epilogue::kBias:
      return CUBLASLT_EPILOGUE_BIAS;
    case Epilogue::kRelu:
      return CUBLASLT_EPILOGUE_RELU;
    case Epilogue::kBiasRelu:
      return CUBLASLT_EPILOGUE_RELU_BIAS;
    case Epilogue::kSumB:
      return CUBLASLT_EPILOGUE_BGRADA;
    default:
      return CUBLASLT_EPILOGUE_DEFAULT;
  }
}

bool has_vector(Epilogue epilogue) { return epilogue != Epilogue::kNone && epilogue != Epilogue::kRelu; }

/// The library can be told how its matrices are aligned, but takes it that the vector of an epilogue is to 16 bytes.
bool vector_fits(const Product& p) {
  return !has_vector(p.epilogue) || reinterpret_cast<uintptr_t>(p.vector) % 16 == 0;
}

/// Bytes: the largest power of 2 up to 256 that divides the address of all matrices of a batch.
uint32_t alignment(const float* data, int64_t batch_stride) {
  const auto bits = reinterpret_cast<uintptr_t>(data) | static_cast<uintptr_t>(batch_stride) * sizeof(float) | 256;
  return static_cast<uint32_t>(bits & (~bits + 1));
}

/// Descriptors and algorithm of all products of one form. The library counts columns first: what is C = A B in rows is
/// C' = B' A' to it.
class Plan {
 public:
  explicit Plan(const Product& p) {
    WENDE_LT_CHECK(cublasLtMatmulDescCreate(&operation_, compute_type(product_precision()), CUDA_R_32F));
    set(CUBLASLT_MATMUL_DESC_TRANSA, static_cast<int32_t>(p.transpose_b ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(CUBLASLT_MATMUL_DESC_TRANSB, static_cast<int32_t>(p.transpose_a ? CUBLAS_OP_T : CUBLAS_OP_N));
    set(CUBLASLT_MATMUL_DESC_EPILOGUE, static_cast<uint32_t>(epilogue_of(p.epilogue)));
    a_ = layout(p.transpose_a ? p.m : p.k, p.transpose_a ? p.k : p.m, p.lda, p.batch, p.stride_a);
    b_ = layout(p.transpose_b ? p.k : p.n, p.transpose_b ? p.n : p.k, p.ldb, p.batch, p.stride_b);
    c_ = layout(p.n, p.m, p.ldc, p.batch, p.stride_c);
    if (has_vector(p.epilogue)) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.vector);  // algorithms depend on it
    choose_algorithm(p);
  }
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() {
    cublasLtMatmulDescDestroy(operation_);
    for (cublasLtMatrixLayout_t layout : {a_, b_, c_}) cublasLtMatrixLayoutDestroy(layout);
  }

  /// False, with nothing done: there is no algorithm with this epilogue.
  bool run(const Product& p) {
    if (!found_) return false;
    if (has_vector(p.epilogue)) set(CUBLASLT_MATMUL_DESC_BIAS_POINTER, p.vector);
    const cublasStatus_t status = cublasLtMatmul(handle(), operation_, &p.alpha, p.b, b_, p.a, a_, &p.beta, p.c, c_,
                                                 p.c, c_, &choice_.algo, workspace(), kWorkspaceBytes, stream());
    // Some refusals of an epilogue come only here, before anything is launched.
    const bool refused = status == CUBLAS_STATUS_NOT_SUPPORTED || status == CUBLAS_STATUS_INVALID_VALUE;
    if (refused && p.epilogue != Epilogue::kNone) {
      found_ = false;
      return false;
    }
    check_library(status, "cublasLtMatmul");
    after_launch();
    return true;
  }

 private:
  template <class T>
  void set(cublasLtMatmulDescAttributes_t attribute, const T& value) {
    WENDE_LT_CHECK(cublasLtMatmulDescSetAttribute(operation_, attribute, &value, sizeof(value)));
  }

  static cublasLtMatrixLayout_t layout(int64_t rows, int64_t columns, int64_t ld, int64_t batch, int64_t stride) {
    cublasLtMatrixLayout_t made = nullptr;
    WENDE_LT_CHECK(
        cublasLtMatrixLayoutCreate(&made, CUDA_R_32F, static_cast<uint64_t>(rows), static_cast<uint64_t>(columns), ld));
    const auto count = static_cast<int32_t>(batch);
    WENDE_LT_CHECK(cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT, &count, sizeof(count)));
    WENDE_LT_CHECK(
        cublasLtMatrixLayoutSetAttribute(made, CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET, &stride, sizeof(stride)));
    return made;
  }

  void choose_algorithm(const Product& p) {
    cublasLtMatmulPreference_t preference = nullptr;
    WENDE_LT_CHECK(cublasLtMatmulPreferenceCreate(&preference));
    const auto prefer = [&](cublasLtMatmulPreferenceAttributes_t attribute, auto value) {
      WENDE_LT_CHECK(cublasLtMatmulPreferenceSetAttribute(preference, attribute, &value, sizeof(value)));
    };
    prefer(CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, kWorkspaceBytes);
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES, alignment(p.b, p.stride_b));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_B_BYTES, alignment(p.a, p.stride_a));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_C_BYTES, alignment(p.c, p.stride_c));
    prefer(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_D_BYTES, alignment(p.c, p.stride_c));
    int count = 0;
    const cublasStatus_t status =
        cublasLtMatmulAlgoGetHeuristic(handle(), operation_, b_, a_, c_, c_, preference, 1, &choice_, &count);
    cublasLtMatmulPreferenceDestroy(preference);
    if (status != CUBLAS_STATUS_NOT_SUPPORTED && p.epilogue == Epilogue::kNone) {
      check_library(status, "cublasLtMatmulAlgoGetHeuristic");
    }
    found_ = status == CUBLAS_STATUS_SUCCESS && count == 1 && choice_.state == CUBLAS_STATUS_SUCCESS;
  }

  cublasLtMatmulDesc_t operation_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr;
  cublasLtMatrixLayout_t b_ = nullptr;
  cublasLtMatrixLayout_t c_ = nullptr;
  cublasLtMatmulHeuristicResult_t choice_{};
  bool found_ = false;
};

/// Plans by all that an algorithm depends on. Batches of ever new lengths make ever new forms: too many are dropped.
class Plans {
 public:
  bool run(const Product& p) {
    const std::lock_guard lock(mutex_);
    if (plans_.size() >= kMost) plans_.clear();
    return plans_.try_emplace(key(p), p).first->second.run(p);
  }

 private:
  static constexpr size_t kMost = 4096;
  using Key = std::array<int64_t, 17>;

  static Key key(const Product& p) {
    return {p.m,
            p.n,
            p.k,
            p.lda,
            p.ldb,
            p.ldc,
            p.batch,
            p.stride_a,
            p.stride_b,
            p.stride_c,
            p.transpose_a * 2 + p.transpose_b,
            static_cast<int64_t>(p.epilogue),
            static_cast<int64_t>(product_precision()),
            alignment(p.a, p.stride_a),
            alignment(p.b, p.stride_b),
            alignment(p.c, p.stride_c),
            alignment(p.vector, 0)};
  }

  std::mutex mutex_;
  std::map<Key, Plan> plans_;
};

/// No terms to sum: the library refuses such products.
void multiply_empty(const Product& p) {
  if (p.beta == 1.0f) return;
  if (p.beta != 0.0f || p.ldc != p.n) throw internal_error("product: no inner size with this beta or stride");
  clear(reinterpret_cast<std::byte*>(p.c), static_cast<size_t>(p.batch * p.m * p.n) * sizeof(float));
}

}  // namespace

bool multiply(const Product& p) {
  if (p.m == 0 || p.n == 0 || p.batch == 0) return true;
  if (p.k == 0) {
    if (p.epilogue != Epilogue::kNone) return false;
    multiply_empty(p);
    return true;
  }
  if (!vector_fits(p)) return false;
  static auto* const plans = new Plans;  // never destroyed: the library may have gone before
  const bool done = plans->run(p);
  if (!done && p.epilogue == Epilogue::kNone) {
    throw internal_error(fmt::format("cuBLASLt has no algorithm for [{},{}] times [{},{}]", p.m, p.k, p.k, p.n));
  }
  return done;
}

void gemm(bool transpose_a, bool transpose_b, int64_t m, int64_t n, int64_t k, float alpha, const float* a, int64_t lda,
          const float* b, int64_t ldb, float beta, float* c, int64_t ldc) {
  multiply({.transpose_a = transpose_a,
            .transpose_b = transpose_b,
            .m = m,
            .n = n,
            .k = k,
            .a = a,
            .lda = lda,
            .b = b,
            .ldb = ldb,
            .c = c,
            .ldc = ldc,
            .alpha = alpha,
            .beta = beta});
}

void batch_matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b, const Tensor& out) {
  const int64_t m = out.dim(-2);
  const int64_t n = out.dim(-1);
  const int64_t k = transpose_a ? a.dim(-2) : a.dim(-1);
  if (out.elements() == 0) return;
  multiply({.transpose_a = transpose_a,
            .transpose_b = transpose_b,
            .m = m,
            .n = n,
            .k = k,
            .a = device_data<float>(a),
            .lda = a.dim(-1),
            .b = device_data<float>(b),
            .ldb = b.dim(-1),
            .c = device_data<float>(out),
            .ldc = n,
            .batch = out.elements() / (m * n),
            .stride_a = m * k,
            .stride_b = k * n,
            .stride_c = m * n});
}

}  // namespace wende::cuda
