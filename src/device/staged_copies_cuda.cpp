#include <cstdint>
#include <cstring>

#include "device/cuda_check.cuh"
#include "device/cuda_memory.h"
#include "device/staged_copies.h"

namespace wende {
namespace {

constexpr size_t kAlignment = 256;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

cudaEvent_t new_event() {
  cudaEvent_t event = nullptr;
  WENDE_CUDA_CHECK(cudaEventCreateWithFlags(&event, cudaEventDisableTiming));
  return event;
}

struct Slot {
  std::byte* pinned = nullptr;
  std::byte* device = nullptr;
  size_t bytes = 0;
  cudaEvent_t copied = new_event();
  cudaEvent_t used = new_event();

  void free() {
    if (pinned != nullptr) cudaFreeHost(pinned);
    if (device != nullptr) cuda::release(device);
    pinned = nullptr;
    device = nullptr;
  }
};

}  // namespace

class StagedCopies::Impl {
 public:
  Impl() { WENDE_CUDA_CHECK(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking)); }
  ~Impl() {
    cudaStreamSynchronize(stream_);
    for (Slot& slot : slots_) {
      slot.free();
      cudaEventDestroy(slot.copied);
      cudaEventDestroy(slot.used);
    }
    cudaStreamDestroy(stream_);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  Staged start(const std::vector<std::pair<const std::byte*, size_t>>& pieces) {
    next_ = 1 - next_;
    Slot& slot = slots_[next_];
    size_t bytes = 0;
    for (const auto& [from, size] : pieces) bytes += aligned(size);
    WENDE_CUDA_CHECK(cudaEventSynchronize(slot.copied));  // of two batches ago: its pinned memory is written now
    if (bytes > slot.bytes) grow(slot, bytes);
    Staged staged{next_, {}};
    size_t at = 0;
    for (const auto& [from, size] : pieces) {
      std::memcpy(slot.pinned + at, from, size);
      staged.addresses.push_back(slot.device + at);
      at += aligned(size);
    }
    WENDE_CUDA_CHECK(cudaStreamWaitEvent(stream_, slot.used, 0));
    if (at > 0) WENDE_CUDA_CHECK(cudaMemcpyAsync(slot.device, slot.pinned, at, cudaMemcpyHostToDevice, stream_));
    WENDE_CUDA_CHECK(cudaEventRecord(slot.copied, stream_));
    return staged;
  }

  void use(int slot) { WENDE_CUDA_CHECK(cudaStreamWaitEvent(cuda::stream(), slots_[slot].copied, 0)); }
  void used(int slot) { WENDE_CUDA_CHECK(cudaEventRecord(slots_[slot].used, cuda::stream())); }

 private:
  /// The block may have belonged to something that kernels still use: the copy waits for what is launched by now.
  void grow(Slot& slot, size_t bytes) {
    slot.free();
    slot.bytes = aligned(bytes + bytes / 4);
    WENDE_CUDA_CHECK(cudaMallocHost(reinterpret_cast<void**>(&slot.pinned), slot.bytes));
    slot.device = cuda::allocate(slot.bytes);
    WENDE_CUDA_CHECK(cudaEventRecord(slot.used, cuda::stream()));
  }

  cudaStream_t stream_ = nullptr;
  Slot slots_[2];
  int next_ = 0;
};

StagedCopies::StagedCopies() : impl_(std::make_unique<Impl>()) {}
StagedCopies::~StagedCopies() = default;
StagedCopies::Staged StagedCopies::start(const std::vector<std::pair<const std::byte*, size_t>>& pieces) {
  return impl_->start(pieces);
}
void StagedCopies::use(int slot) { impl_->use(slot); }
void StagedCopies::used(int slot) { impl_->used(slot); }

}  // namespace wende
