#include "device/block_cache_cuda.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>

#include "base/error.h"
#include "device/cuda_check.cuh"

namespace wende::cuda {
namespace {

double mebibytes(size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

/// WENDE_DEVICE_MEM: most MiB that this process takes of the GPU; 0 for all of it.
size_t limit_of_process() {
  static const size_t kLimit = [] {
    const char* text = std::getenv("WENDE_DEVICE_MEM");
    return text == nullptr ? 0 : static_cast<size_t>(std::atof(text) * (1 << 20));
  }();
  return kLimit;
}

/// cudaMalloc is for no capture but a relaxed one, though it does not touch the captured stream.
class RelaxedCapture {
 public:
  RelaxedCapture() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  ~RelaxedCapture() { cudaThreadExchangeStreamCaptureMode(&mode_); }
  RelaxedCapture(const RelaxedCapture&) = delete;
  RelaxedCapture& operator=(const RelaxedCapture&) = delete;

 private:
  cudaStreamCaptureMode mode_ = cudaStreamCaptureModeRelaxed;
};

/// A block of this size, or of at most `most`; bytes becomes its size.
std::byte* taken_from(std::map<size_t, std::vector<std::byte*>>& blocks, size_t& bytes, size_t most) {
  auto found = blocks.lower_bound(bytes);
  while (found != blocks.end() && found->second.empty()) found = blocks.erase(found);
  if (found == blocks.end() || found->first > most) return nullptr;
  std::byte* data = found->second.back();
  found->second.pop_back();
  bytes = found->first;
  return data;
}

}  // namespace

bool environment_flag(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' && *text != '0';
}

std::byte* BlockCache::take(size_t bytes) {
  const std::lock_guard lock(mutex_);
  size_t size = exact_ ? bytes : (bytes + kGranule - 1) / kGranule * kGranule;
  if (std::byte* data = capturing_ ? taken_from(captured_, size, size) : nullptr) {
    sizes_[data] = size;
    return data;
  }
  std::byte* data = taken_from(free_, size, size > kLarge ? size + size / 4 : size);
  if (data == nullptr) {
    data = from_driver(size);
  } else if (size > kLarge) {
    kept_large_ -= size;
  }
  sizes_[data] = size;
  in_use_ += size;
  peak_ = std::max(peak_, in_use_);
  return data;
}

void BlockCache::give(std::byte* data) {
  const std::lock_guard lock(mutex_);
  const auto found = sizes_.find(data);
  const size_t bytes = found->second;
  sizes_.erase(found);
  if (capturing_) {
    captured_[bytes].push_back(data);
  } else {
    put_away(data, bytes);
  }
}

void BlockCache::put_away(std::byte* data, size_t bytes) {
  in_use_ -= bytes;
  if (exact_ || (bytes > kLarge && kept_large_ + bytes > kMostKept)) return to_driver(data, bytes);
  if (bytes > kLarge) kept_large_ += bytes;
  free_[bytes].push_back(data);
}

void BlockCache::begin_capture() {
  const std::lock_guard lock(mutex_);
  capturing_ = true;
}

BlockCache::Blocks BlockCache::end_capture() {
  const std::lock_guard lock(mutex_);
  capturing_ = false;
  Blocks blocks;
  for (const auto& [bytes, list] : captured_) {
    for (std::byte* data : list) blocks.emplace_back(data, bytes);
  }
  captured_.clear();
  return blocks;
}

void BlockCache::give_back(const Blocks& blocks) {
  const std::lock_guard lock(mutex_);
  for (const auto& [data, bytes] : blocks) put_away(data, bytes);
}

void BlockCache::to_driver(std::byte* data, size_t bytes) {
  cudaFree(data);
  held_ -= bytes;
}

std::byte* BlockCache::malloc_or_null(size_t bytes) {
  if (limit_of_process() > 0 && held_ + bytes > limit_of_process()) return nullptr;
  const RelaxedCapture relaxed;
  void* data = nullptr;
  if (cudaMalloc(&data, bytes) != cudaSuccess) {
    cudaGetLastError();
    return nullptr;
  }
  held_ += bytes;
  return static_cast<std::byte*>(data);
}

std::byte* BlockCache::from_driver(size_t bytes) {
  if (std::byte* data = malloc_or_null(bytes)) return data;
  for (auto& [size, blocks] : free_) {
    if (capturing_) break;  // freeing waits, which a capture does not allow
    for (std::byte* block : blocks) to_driver(block, size);
    blocks.clear();
    if (size > kLarge) kept_large_ = 0;
  }
  if (std::byte* data = malloc_or_null(bytes)) return data;
  size_t free_bytes = 0;
  size_t total = 0;
  cudaMemGetInfo(&free_bytes, &total);
  const std::string limit =
      limit_of_process() == 0 ? "" : fmt::format(", WENDE_DEVICE_MEM allows {:.1f}", mebibytes(limit_of_process()));
  throw Error(ExitStatus::kOutOfMemory,
              fmt::format("the GPU has no {:.1f} MiB left: {:.1f} of {:.1f} MiB are free, {:.1f} are in use here{}",
                          mebibytes(bytes), mebibytes(free_bytes), mebibytes(total), mebibytes(in_use_), limit))
      .hint("a smaller batch_size or max_seq_length needs less memory");
}

// Never destroyed: buffers of static lifetime may be freed after it.
BlockCache& blocks() {
  static auto* const cache = new BlockCache;
  return *cache;
}

}  // namespace wende::cuda
