#pragma once

#include <cuda_runtime.h>

#include <utility>

/// For CUDA sources only: calls with checks, the stream, and the one way to launch a kernel.
namespace wende::cuda {

/// Throws: kOutOfMemory, or kInternal with the call as text.
void check(cudaError_t status, const char* call);
#define WENDE_CUDA_CHECK(call) ::wende::cuda::check((call), #call)

/// Whether this binary has code for the current GPU: modules are loaded late, so that other calls do not notice.
cudaError_t probe_code();

/// The stream on which kernels and copies run, in order.
cudaStream_t stream();

/// With WENDE_CUDA_SYNC=1 each launch waits, so that a fault shows at its kernel.
void after_launch();

template <class... P, class... A>
void launch(void (*kernel)(P...), dim3 grid, dim3 block, size_t shared_bytes, A&&... args) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  cudaLaunchConfig_t config{};
  config.gridDim = grid;
  config.blockDim = block;
  config.dynamicSmemBytes = shared_bytes;
  config.stream = stream();
  WENDE_CUDA_CHECK(cudaLaunchKernelEx(&config, kernel, std::forward<A>(args)...));
  after_launch();
}

constexpr unsigned kThreads = 256;

/// Blocks for a loop over n elements in strides of the grid; at most `most`.
inline unsigned blocks_for(int64_t n, unsigned threads = kThreads, unsigned most = 4096) {
  const int64_t blocks = (n + threads - 1) / threads;
  return static_cast<unsigned>(blocks < most ? blocks : most);
}

}  // namespace wende::cuda
