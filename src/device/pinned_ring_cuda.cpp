#include "device/pinned_ring_cuda.h"

#include <cstring>

#include "device/cuda_check.cuh"

namespace wende::cuda {

void PinnedRing::copy(std::byte* to, const std::byte* from, size_t bytes) {
  Slot& slot = slots_[next_];
  next_ = (next_ + 1) % slots_.size();
  if (slot.copied == nullptr) WENDE_CUDA_CHECK(cudaEventCreateWithFlags(&slot.copied, cudaEventDisableTiming));
  WENDE_CUDA_CHECK(cudaEventSynchronize(slot.copied));  // its last copy
  if (slot.bytes < bytes) {
    if (slot.memory != nullptr) WENDE_CUDA_CHECK(cudaFreeHost(slot.memory));
    slot.bytes = 0;
    WENDE_CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&slot.memory), bytes + bytes / 4));
    slot.bytes = bytes + bytes / 4;
  }
  std::memcpy(slot.memory, from, bytes);
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, slot.memory, bytes, cudaMemcpyHostToDevice, stream()));
  WENDE_CUDA_CHECK(cudaEventRecord(slot.copied, stream()));
}

}  // namespace wende::cuda
