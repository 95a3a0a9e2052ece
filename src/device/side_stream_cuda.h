#pragma once

#include <cuda_runtime.h>

#include <functional>

/// For CUDA sources: work beside the main stream.
namespace wende::cuda {

/// Another stream() than the main one, as long as it lives.
class StreamChoice {
 public:
  explicit StreamChoice(cudaStream_t chosen);
  ~StreamChoice();
  StreamChoice(const StreamChoice&) = delete;
  StreamChoice& operator=(const StreamChoice&) = delete;

 private:
  cudaStream_t previous_;
};

/// Runs `beside` on a second stream and `work` on the current one, at the same time as far as the GPU can; all that
/// comes later waits for both. `beside` must not free device memory, nor take any that has an owner on another stream.
void run_both(const std::function<void()>& work, const std::function<void()>& beside);

}  // namespace wende::cuda
