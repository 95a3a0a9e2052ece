#include <fmt/core.h>

#include "base/error.h"
#include "device/block_cache_cuda.h"
#include "device/cuda_check.cuh"
#include "device/cuda_memory.h"
#include "device/pinned_ring_cuda.h"
#include "device/recorded_launch.h"
#include "device/side_stream_cuda.h"

namespace wende::cuda {
namespace {

double mebibytes(size_t bytes) { return static_cast<double>(bytes) / (1 << 20); }

bool& wait_flag() {
  static bool flag = environment_flag("WENDE_CUDA_SYNC");
  return flag;
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
  if (launches_wait()) synchronize();
}

bool launches_wait() { return wait_flag(); }
void make_launches_wait() { wait_flag() = true; }

std::byte* allocate(size_t bytes) { return blocks().take(bytes); }
void release(std::byte* data) noexcept { blocks().give(data); }
size_t bytes_in_use() { return blocks().in_use(); }
size_t peak_bytes_in_use() { return blocks().peak(); }

void copy_to_device(std::byte* to, const std::byte* from, size_t bytes) {
  depends_on_host();
  static auto* const ring = new PinnedRing;
  if (PinnedRing::takes(bytes)) return ring->copy(to, from, bytes);
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream()));
}
void copy_to_host(std::byte* to, const std::byte* from, size_t bytes) {
  depends_on_host();
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream()));
  synchronize();
}
void copy_on_device(std::byte* to, const std::byte* from, size_t bytes) {
  WENDE_CUDA_CHECK(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, stream()));
}
void clear(std::byte* data, size_t bytes) { WENDE_CUDA_CHECK(cudaMemsetAsync(data, 0, bytes, stream())); }
void synchronize() {
  depends_on_host();
  WENDE_CUDA_CHECK(cudaStreamSynchronize(stream()));
}

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

std::string library_text() {
  int driver = 0;
  if (cudaDriverGetVersion(&driver) != cudaSuccess) cudaGetLastError();
  const std::string text = driver == 0 ? "none" : fmt::format("{}.{}", driver / 1000, driver % 1000 / 10);
  return fmt::format(", CUDA {}.{}, driver {}", CUDART_VERSION / 1000, CUDART_VERSION % 1000 / 10, text);
}

std::string gpu_id() {
  int device = 0;
  WENDE_CUDA_CHECK(cudaGetDevice(&device));
  char text[32] = {};
  WENDE_CUDA_CHECK(cudaDeviceGetPCIBusId(text, sizeof(text), device));
  return text;
}

}  // namespace wende::cuda
