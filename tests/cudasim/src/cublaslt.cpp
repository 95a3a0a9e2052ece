// cudasim: the cuBLASLt calls the project uses: float32 matrices in column order, TF32 and bf16 by rounding the
// operands, epilogues with bias, ReLU and bias gradient, strided batches. Products by oneDNN.
#include <cublasLt.h>
#include <dnnl.h>

#include <cstdlib>
#include <cstring>

#include "core.hpp"

struct cublasLtContext {};
namespace {
using namespace cudasim;
struct Layout {
  cudaDataType type = CUDA_R_32F;
  std::uint64_t rows = 0, cols = 0;
  std::int64_t ld = 0, stride = 0;
  std::int32_t batch = 1;
  std::size_t extent() const { return rows && cols ? std::size_t((cols - 1) * ld + rows) * 4 : 0; }
};
struct Desc {
  cublasComputeType_t compute = CUBLAS_COMPUTE_32F;
  cudaDataType scale = CUDA_R_32F;
  std::int32_t ta = CUBLAS_OP_N, tb = CUBLAS_OP_N;
  std::uint32_t epilogue = CUBLASLT_EPILOGUE_DEFAULT;
  const void* bias = nullptr;
};
struct Preference {
  std::uint64_t workspace = 0;
  std::uint32_t alignment[4] = {256, 256, 256, 256};
};
/// What an algorithm was asked for, kept in cublasLtMatmulAlgo_t: cublasLtMatmul must ask the same.
struct Algo {
  std::uint64_t problem, workspace;
  std::uint32_t alignment[4];
};
static_assert(sizeof(Algo) <= sizeof(cublasLtMatmulAlgo_t));

const Layout& of(cublasLtMatrixLayout_t l) { return *reinterpret_cast<const Layout*>(l); }
const Desc& of(cublasLtMatmulDesc_t d) { return *reinterpret_cast<const Desc*>(d); }
template <class T>
cublasStatus_t set(T& to, const void* from, std::size_t bytes) {
  if (from == nullptr || bytes != sizeof(T)) return CUBLAS_STATUS_INVALID_VALUE;
  std::memcpy(&to, from, sizeof(T));
  return CUBLAS_STATUS_SUCCESS;
}
std::uint64_t problem(const Desc& d, const Layout& a, const Layout& b, const Layout& c) {
  std::uint64_t h = 14695981039346656037ull;
  auto mix = [&h](std::uint64_t v) { h = (h ^ v) * 1099511628211ull; };
  for (auto v : {std::uint64_t(d.compute), std::uint64_t(d.ta), std::uint64_t(d.tb), std::uint64_t(d.epilogue)}) mix(v);
  for (const Layout* l : {&a, &b, &c})
    for (auto v : {l->rows, l->cols, std::uint64_t(l->ld), std::uint64_t(l->batch), std::uint64_t(l->stride)}) mix(v);
  return h;
}
bool valid(const Desc& d, const Layout& a, const Layout& b, const Layout& c) {
  const auto m = d.ta ? a.cols : a.rows, k = d.ta ? a.rows : a.cols, n = d.tb ? b.rows : b.cols;
  for (const Layout* l : {&a, &b, &c})
    if (!l->rows || !l->cols || l->ld < std::int64_t(l->rows) || l->batch != c.batch || l->type != CUDA_R_32F)
      return false;
  return k == (d.tb ? b.cols : b.rows) && c.rows == m && c.cols == n;
}
float rounded(float x, cublasComputeType_t compute) {
  std::uint32_t bits;
  std::memcpy(&bits, &x, 4);
  if ((bits & 0x7f800000u) == 0x7f800000u) return x;
  if (compute == CUBLAS_COMPUTE_32F_FAST_TF32) bits &= 0xffffe000u;  // the worst that hardware may do: cut off
  if (compute == CUBLAS_COMPUTE_32F_FAST_16BF) bits = (bits + 0x7fffu + (bits >> 16 & 1)) & 0xffff0000u;
  std::memcpy(&x, &bits, 4);
  return x;
}
std::vector<float> rounded(const float* x, const Layout& l, cublasComputeType_t compute) {
  std::vector<float> y(l.extent() / 4);
  for (std::uint64_t j = 0; j < l.cols; ++j)
    for (std::uint64_t i = 0; i < l.rows; ++i) y[j * l.ld + i] = rounded(x[j * l.ld + i], compute);
  return y;
}
void finish(const Desc& d, const Layout& a, const Layout& c, const float* x, float* y) {
  auto* bias = static_cast<float*>(const_cast<void*>(d.bias));
  if (d.epilogue == CUBLASLT_EPILOGUE_BGRADA) {
    for (std::uint64_t i = 0; i < c.rows; ++i) {
      double sum = 0;
      for (std::uint64_t p = 0; p < (d.ta ? a.rows : a.cols); ++p) sum += x[d.ta ? i * a.ld + p : p * a.ld + i];
      bias[i] = float(sum);
    }
    return;
  }
  for (std::uint64_t j = 0; j < c.cols; ++j)
    for (std::uint64_t i = 0; i < c.rows; ++i) {
      float& v = y[j * c.ld + i];
      if (d.epilogue & CUBLASLT_EPILOGUE_BIAS) v += bias[i];
      if (d.epilogue & CUBLASLT_EPILOGUE_RELU) v = v < 0 ? 0 : v;
    }
}
bool known(std::uint32_t epilogue) {
  return epilogue == CUBLASLT_EPILOGUE_DEFAULT || epilogue == CUBLASLT_EPILOGUE_BIAS ||
         epilogue == CUBLASLT_EPILOGUE_RELU || epilogue == CUBLASLT_EPILOGUE_RELU_BIAS ||
         epilogue == CUBLASLT_EPILOGUE_BGRADA;
}
}  // namespace
extern "C" {
cublasStatus_t cublasLtCreate(cublasLtHandle_t* h) {
  *h = new cublasLtContext;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtDestroy(cublasLtHandle_t h) {
  delete h;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutCreate(cublasLtMatrixLayout_t* l, cudaDataType t, uint64_t rows, uint64_t cols,
                                          int64_t ld) {
  *l = reinterpret_cast<cublasLtMatrixLayout_t>(new Layout{t, rows, cols, ld});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutDestroy(cublasLtMatrixLayout_t l) {
  delete reinterpret_cast<Layout*>(l);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatrixLayoutSetAttribute(cublasLtMatrixLayout_t l, cublasLtMatrixLayoutAttribute_t attribute,
                                                const void* value, size_t bytes) {
  auto& layout = *reinterpret_cast<Layout*>(l);
  if (attribute == CUBLASLT_MATRIX_LAYOUT_BATCH_COUNT) return set(layout.batch, value, bytes);
  if (attribute == CUBLASLT_MATRIX_LAYOUT_STRIDED_BATCH_OFFSET) return set(layout.stride, value, bytes);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasLtMatmulDescCreate(cublasLtMatmulDesc_t* d, cublasComputeType_t compute, cudaDataType_t scale) {
  *d = reinterpret_cast<cublasLtMatmulDesc_t>(new Desc{compute, scale});
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescDestroy(cublasLtMatmulDesc_t d) {
  delete reinterpret_cast<Desc*>(d);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulDescSetAttribute(cublasLtMatmulDesc_t d, cublasLtMatmulDescAttributes_t attribute,
                                              const void* value, size_t bytes) {
  auto& desc = *reinterpret_cast<Desc*>(d);
  if (attribute == CUBLASLT_MATMUL_DESC_TRANSA) return set(desc.ta, value, bytes);
  if (attribute == CUBLASLT_MATMUL_DESC_TRANSB) return set(desc.tb, value, bytes);
  if (attribute == CUBLASLT_MATMUL_DESC_EPILOGUE) return set(desc.epilogue, value, bytes);
  if (attribute == CUBLASLT_MATMUL_DESC_BIAS_POINTER) return set(desc.bias, value, bytes);
  return CUBLAS_STATUS_NOT_SUPPORTED;
}
cublasStatus_t cublasLtMatmulPreferenceCreate(cublasLtMatmulPreference_t* p) {
  *p = reinterpret_cast<cublasLtMatmulPreference_t>(new Preference);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceDestroy(cublasLtMatmulPreference_t p) {
  delete reinterpret_cast<Preference*>(p);
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmulPreferenceSetAttribute(cublasLtMatmulPreference_t p,
                                                    cublasLtMatmulPreferenceAttributes_t attribute, const void* value,
                                                    size_t bytes) {
  auto& preference = *reinterpret_cast<Preference*>(p);
  if (attribute == CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES) return set(preference.workspace, value, bytes);
  const int operand = int(attribute) - int(CUBLASLT_MATMUL_PREF_MIN_ALIGNMENT_A_BYTES);
  return operand >= 0 && operand < 4 ? set(preference.alignment[operand], value, bytes) : CUBLAS_STATUS_NOT_SUPPORTED;
}
// CUDASIM_NO_EPILOGUES=1: a library that has none for the problem at hand.
cublasStatus_t cublasLtMatmulAlgoGetHeuristic(cublasLtHandle_t, cublasLtMatmulDesc_t dd, cublasLtMatrixLayout_t a,
                                              cublasLtMatrixLayout_t b, cublasLtMatrixLayout_t c,
                                              cublasLtMatrixLayout_t d, cublasLtMatmulPreference_t p, int most,
                                              cublasLtMatmulHeuristicResult_t results[], int* count) {
  static const bool kNoEpilogues = std::getenv("CUDASIM_NO_EPILOGUES") != nullptr;
  const auto& preference = *reinterpret_cast<const Preference*>(p);
  *count = 0;
  if (most < 1 || !valid(of(dd), of(a), of(b), of(d)) ||
      problem(of(dd), of(a), of(b), of(c)) != problem(of(dd), of(a), of(b), of(d)))
    return CUBLAS_STATUS_INVALID_VALUE;
  const bool has_bias = of(dd).epilogue == CUBLASLT_EPILOGUE_BGRADA || (of(dd).epilogue & CUBLASLT_EPILOGUE_BIAS);
  if (has_bias && !of(dd).bias)
    report("bias-pointer", "cuBLASLt is asked for an algorithm before it knows the bias pointer");
  if (!known(of(dd).epilogue) || (kNoEpilogues && of(dd).epilogue != CUBLASLT_EPILOGUE_DEFAULT))
    return CUBLAS_STATUS_NOT_SUPPORTED;
  Algo algo{problem(of(dd), of(a), of(b), of(d)), std::min<std::uint64_t>(preference.workspace, 4096), {}};
  std::memcpy(algo.alignment, preference.alignment, sizeof algo.alignment);
  results[0] = {};
  std::memcpy(&results[0].algo, &algo, sizeof algo);
  results[0].workspaceSize = algo.workspace;
  results[0].state = CUBLAS_STATUS_SUCCESS;
  *count = 1;
  return CUBLAS_STATUS_SUCCESS;
}
cublasStatus_t cublasLtMatmul(cublasLtHandle_t, cublasLtMatmulDesc_t dd, const void* alpha, const void* A,
                              cublasLtMatrixLayout_t al, const void* B, cublasLtMatrixLayout_t bl, const void* beta,
                              const void* C, cublasLtMatrixLayout_t cl, void* D, cublasLtMatrixLayout_t dl,
                              const cublasLtMatmulAlgo_t* chosen, void* workspace, size_t workspace_bytes,
                              cudaStream_t stream) {
  if (in_arena(alpha) || in_arena(beta)) {
    report("device-scalar", "cuBLASLt alpha/beta are device pointers", __builtin_return_address(0));
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  const Desc desc = of(dd);  // descriptors and scalars are read at the call
  const Layout a = of(al), b = of(bl), d = of(dl);
  const float a_ = *(const float*)alpha, b_ = *(const float*)beta;
  Algo algo;
  std::memcpy(&algo, chosen, sizeof algo);
  if (!valid(desc, a, b, d) || C != D || algo.problem != problem(desc, a, b, of(cl)) ||
      algo.workspace > workspace_bytes)
    return CUBLAS_STATUS_INVALID_VALUE;
  const void* operands[] = {A, B, C, D};
  for (int i = 0; i < 4; ++i)
    if (std::uintptr_t(operands[i]) % algo.alignment[i]) {
      report("misaligned", "cuBLASLt: an operand is less aligned than the algorithm was asked for");
      return CUBLAS_STATUS_INVALID_VALUE;
    }
  const bool has_bias = desc.epilogue == CUBLASLT_EPILOGUE_BGRADA || (desc.epilogue & CUBLASLT_EPILOGUE_BIAS);
  if ((has_bias && std::uintptr_t(desc.bias) % 16) || std::uintptr_t(workspace) % 256) {
    report("misaligned", "cuBLASLt: the bias is not aligned to 16 bytes, or the workspace not to 256");
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  enqueue(stream, "cublasLtMatmul", [=] {
    const bool sums = desc.epilogue == CUBLASLT_EPILOGUE_BGRADA;
    if ((sums || (desc.epilogue & CUBLASLT_EPILOGUE_BIAS)) && !lib_access("cuBLASLt bias", desc.bias, d.rows * 4, sums))
      return;
    if (algo.workspace && !lib_access("cuBLASLt workspace", workspace, algo.workspace, true)) return;
    if (algo.workspace) std::memset(workspace, 0xff, algo.workspace);
    for (int q = 0; q < d.batch; ++q) {
      const float *x = (const float*)A + q * a.stride, *y = (const float*)B + q * b.stride;
      float* z = (float*)D + q * d.stride;
      if (!lib_access("cuBLASLt A", x, a.extent(), false) || !lib_access("cuBLASLt B", y, b.extent(), false) ||
          (b_ != 0 && !lib_access("cuBLASLt C", z, d.extent(), false)) ||
          !lib_access("cuBLASLt D", z, d.extent(), true))
        return;
      std::vector<float> rx, ry;
      const float *px = x, *py = y;
      if (desc.compute != CUBLAS_COMPUTE_32F) {
        rx = rounded(x, a, desc.compute);
        ry = rounded(y, b, desc.compute);
        px = rx.data();
        py = ry.data();
      }
      // oneDNN counts rows first: C' = B' A' there.
      dnnl_sgemm(desc.tb ? 'T' : 'N', desc.ta ? 'T' : 'N', d.cols, d.rows, desc.ta ? a.rows : a.cols, a_, py, b.ld, px,
                 a.ld, b_, z, d.ld);
      finish(desc, a, d, x, z);
    }
  });
  return sticky() == cudaSuccess ? CUBLAS_STATUS_SUCCESS : CUBLAS_STATUS_EXECUTION_FAILED;
}
}
