#include "device/cuda_check.cuh"

namespace wende::cuda {
namespace {

__global__ void probe_kernel() {}

}  // namespace

cudaError_t probe_code() {
  cudaFuncAttributes attributes{};
  return cudaFuncGetAttributes(&attributes, reinterpret_cast<const void*>(probe_kernel));
}

}  // namespace wende::cuda
