#pragma once

#include <cuda_runtime.h>

#include <array>
#include <cstddef>
#include <cstdint>

/// For the CUDA backend only.
namespace wende::cuda {

/// Copies of middling size to the GPU by way of pinned memory. From other memory the driver copies 64 KiB at once, but
/// waits for the stream before it copies more, and the GPU would have nothing to do after that.
class PinnedRing {
 public:
  /// Larger ones are rare (parameters, whole batches outside of StagedCopies).
  static bool takes(uint64_t bytes) { return bytes > kInline && bytes <= kMost; }
  void copy(std::byte* to, const std::byte* from, size_t bytes);

 private:
  struct Slot {
    std::byte* memory = nullptr;
    size_t bytes = 0;
    cudaEvent_t copied = nullptr;
  };
  static constexpr size_t kInline = size_t{64} << 10;
  static constexpr size_t kMost = size_t{4} << 20;

  std::array<Slot, 8> slots_;
  size_t next_ = 0;
};

}  // namespace wende::cuda
