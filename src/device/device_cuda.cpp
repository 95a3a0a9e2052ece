#include <fmt/core.h>

#include <cstdlib>
#include <map>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "device/cuda_check.cuh"
#include "device/cuda_memory.h"
#include "device/side_stream_cuda.h"

namespace wende::cuda {
namespace {

bool environment_flag(const char* name) {
  const char* text = std::getenv(name);
  return text != nullptr && *text != '\0' && *text != '0';
}

double mebibytes(size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

/// Freed blocks stay for later requests of the same rounded size. All work is on one stream, so a block may be used
/// again as soon as it was freed. Large blocks go back to the driver: they are few, and their sizes seldom recur.
class BlockCache {
 public:
  std::byte* take(size_t bytes) {
    const std::lock_guard lock(mutex_);
    const size_t rounded = exact_ ? bytes : (bytes + kGranule - 1) / kGranule * kGranule;
    std::vector<std::byte*>& free = free_[rounded];
    std::byte* data = nullptr;
    if (!free.empty()) {
      data = free.back();
      free.pop_back();
    } else {
      data = from_driver(rounded);
    }
    sizes_[data] = rounded;
    in_use_ += rounded;
    return data;
  }

  void give(std::byte* data) {
    const std::lock_guard lock(mutex_);
    const auto found = sizes_.find(data);
    const size_t bytes = found->second;
    sizes_.erase(found);
    in_use_ -= bytes;
    if (exact_ || bytes > kLarge) {
      cudaFree(data);
    } else {
      free_[bytes].push_back(data);
    }
  }

  size_t in_use() const { return in_use_; }

 private:
  static constexpr size_t kGranule = 512;
  static constexpr size_t kLarge = size_t{32} << 20;

  std::byte* from_driver(size_t bytes) {
    void* data = nullptr;
    if (cudaMalloc(&data, bytes) == cudaSuccess) return static_cast<std::byte*>(data);
    cudaGetLastError();
    for (auto& [size, blocks] : free_) {
      for (std::byte* block : blocks) cudaFree(block);
      blocks.clear();
    }
    if (cudaMalloc(&data, bytes) == cudaSuccess) return static_cast<std::byte*>(data);
    cudaGetLastError();
    size_t free_bytes = 0;
    size_t total = 0;
    cudaMemGetInfo(&free_bytes, &total);
    throw Error(ExitStatus::kOutOfMemory,
                fmt::format("the GPU has no {:.1f} MiB left: {:.1f} of {:.1f} MiB are free, {:.1f} are in use here",
                            mebibytes(bytes), mebibytes(free_bytes), mebibytes(total), mebibytes(in_use_)))
        .hint("a smaller batch_size or max_seq_length needs less memory");
  }

  // Without the cache every block has exactly its size: memory checkers then see accesses behind its end.
  const bool exact_ = environment_flag("WENDE_CUDA_NO_CACHE");
  std::mutex mutex_;
  std::map<size_t, std::vector<std::byte*>> free_;
  std::unordered_map<std::byte*, size_t> sizes_;
  size_t in_use_ = 0;
};

// Never destroyed: buffers of static lifetime may be freed after it.
BlockCache& blocks() {
  static auto* const cache = new BlockCache;
  return *cache;
}

thread_local cudaStream_t chosen_stream = nullptr;

}  // namespace

const bool kPresent = true;

void check(cudaError_t status, const char* call) {
  if (status == cudaSuccess) return;
  const auto exit_status = status == cudaErrorMemoryAllocation ? ExitStatus::kOutOfMemory : ExitStatus::kInternal;
  throw Error(exit_status,
              fmt::format("CUDA: {} ({}) in {}", cudaGetErrorString(status), cudaGetErrorName(status), call));
}

cudaStream_t stream() {
  static const cudaStream_t kStream = [] {
    cudaStream_t created = nullptr;
    WENDE_CUDA_CHECK(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking));
    return created;
  }();
  return chosen_stream != nullptr ? chosen_stream : kStream;
}

StreamChoice::StreamChoice(cudaStream_t chosen) : previous_(chosen_stream) { chosen_stream = chosen; }
StreamChoice::~StreamChoice() { chosen_stream = previous_; }

void after_launch() {
  static const bool kWait = environment_flag("WENDE_CUDA_SYNC");
  if (kWait) synchronize();
}

std::byte* allocate(size_t bytes) { return blocks().take(bytes); }
void release(std::byte* data) noexcept { blocks().give(data); }
size_t bytes_in_use() { return blocks().in_use(); }

void copy_to_device(std::byte* to, const std::byte* from, size_t bytes) {
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()));
}
void copy_to_host(std::byte* to, const std::byte* from, size_t bytes) {
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()));
  synchronize();
}
void copy_on_device(std::byte* to, const std::byte* from, size_t bytes) {
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream()));
}
void clear(std::byte* data, size_t bytes) { WENDE_CUDA_CHECK(cudaMemsetAsync(data, 0, bytes, stream())); }
void synchronize() { WENDE_CUDA_CHECK(cudaStreamSynchronize(stream())); }

int visible_gpus() {
  int count = 0;
  const cudaError_t status = cudaGetDeviceCount(&count);
  if (status == cudaErrorInsufficientDriver || status == cudaErrorStubLibrary) {
    throw Error(ExitStatus::kUsage, "there is no NVIDIA driver, or it is too old for the CUDA version of this build")
        .hint("nvidia-smi shows the driver's version; --device cpu runs without a GPU");
  }
  if (status == cudaErrorNoDevice || (status == cudaSuccess && count == 0)) {
    throw Error(ExitStatus::kUsage, "there is no GPU that this process can see")
        .hint("is CUDA_VISIBLE_DEVICES set, or was the job started without GPUs? --device cpu runs without one");
  }
  WENDE_CUDA_CHECK(status);
  return count;
}

void use_gpu(int index) {
  const int count = visible_gpus();
  if (index < 0 || index >= count) {
    throw Error(ExitStatus::kUsage, fmt::format("there is no GPU {}: this process sees {}", index, count));
  }
  WENDE_CUDA_CHECK(cudaSetDevice(index));
  const cudaError_t status = probe_code();
  if (status == cudaErrorNoKernelImageForDevice || status == cudaErrorInvalidDeviceFunction ||
      status == cudaErrorUnsupportedPtxVersion) {
    throw Error(ExitStatus::kUsage, fmt::format("this binary has no code for {}", gpu_name()))
        .hint("configure with -DCMAKE_CUDA_ARCHITECTURES=<its compute capability>");
  }
  WENDE_CUDA_CHECK(status);
}

std::string gpu_name() {
  int device = 0;
  int driver = 0;
  WENDE_CUDA_CHECK(cudaGetDevice(&device));
  WENDE_CUDA_CHECK(cudaDriverGetVersion(&driver));
  cudaDeviceProp properties{};
  WENDE_CUDA_CHECK(cudaGetDeviceProperties(&properties, device));
  return fmt::format("{}, compute capability {}.{}, {:.0f} MiB, CUDA {}.{}", properties.name, properties.major,
                     properties.minor, mebibytes(properties.totalGlobalMem), driver / 1000, driver % 1000 / 10);
}

std::string gpu_id() {
  int device = 0;
  WENDE_CUDA_CHECK(cudaGetDevice(&device));
  char text[32] = {};
  WENDE_CUDA_CHECK(cudaDeviceGetPCIBusId(text, sizeof(text), device));
  return text;
}

}  // namespace wende::cuda
