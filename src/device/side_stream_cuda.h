#pragma once

#include <cuda_runtime.h>

#include <functional>

/// For CUDA sources: work beside the main stream.
namespace wende::cuda {

/// Runs `beside` on a second stream and `work` on the current one, at the same time as far as the GPU can; all that
/// comes later waits for both. `beside` must not free device memory, nor take any that has an owner on another stream.
void run_both(const std::function<void()>& work, const std::function<void()>& beside);

}  // namespace wende::cuda
