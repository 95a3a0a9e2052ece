#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "device/memory.h"

/// What the host needs of the GPU of this process: device_cuda.cpp, or no_cuda.cpp in builds without CUDA, where each
/// of these throws. Everything runs in the order of the current stream.
namespace wende::cuda {

extern const bool kPresent;  ///< does this build have CUDA

/// From a cache of freed blocks. Throws kOutOfMemory with the sizes in use.
std::byte* allocate(size_t bytes);
void release(std::byte* data) noexcept;
size_t bytes_in_use();
size_t peak_bytes_in_use();  ///< since the start

void copy_to_device(std::byte* to, const std::byte* from, size_t bytes);
void copy_to_host(std::byte* to, const std::byte* from, size_t bytes);  ///< waits
void copy_on_device(std::byte* to, const std::byte* from, size_t bytes);
void clear(std::byte* data, size_t bytes);
void synchronize();
/// With WENDE_CUDA_SYNC=1, or after make_launches_wait(), each launch waits: an error shows at its kernel.
bool launches_wait();
void make_launches_wait();
/// Copies, waits, and throws the bad input that kernels saw (labels and indices outside of their range).
void copy_results(const std::vector<HostCopy>& copies);

/// What is launched until end_capture() becomes a graph (nullptr: there was nothing, or what cannot be in one). See
/// device/recorded_launch.h.
void begin_capture();
void* end_capture();
void launch_graph(void* graph);
size_t graph_operations(const void* graph);
void destroy_graph(void* graph) noexcept;

/// GPUs that this process can see. Throws kUsage when there is no CUDA in this build, no driver, or no GPU.
int visible_gpus();
/// Makes it the one GPU of this process; throws kUsage when the binary has no code for it.
void use_gpu(int index);
std::string gpu_name();  ///< "NVIDIA H100 PCIe, compute capability 9.0, CUDA 13.0"
/// ", CUDA 13.0, driver 13.0": to compare over ranks; empty in builds without CUDA.
std::string library_text();
std::string gpu_id();  ///< bus address: tells the GPUs of a machine apart

/// Named ranges on the host's timeline, for profilers (NVTX); nothing without one.
void push_range(const char* name);
void pop_range();

}  // namespace wende::cuda
