#include "base/error.h"
#include "device/cuda_memory.h"

namespace wende::cuda {
namespace {

[[noreturn]] void absent() {
  throw Error(ExitStatus::kUsage, "this build of Wende has no CUDA").hint("cmake --preset cuda, or --device cpu");
}

}  // namespace

const bool kPresent = false;

std::byte* allocate(size_t) { absent(); }
void release(std::byte*) noexcept {}
size_t bytes_in_use() { return 0; }
size_t peak_bytes_in_use() { return 0; }
bool launches_wait() { return false; }
void make_launches_wait() {}
void begin_capture() { absent(); }
void* end_capture() { absent(); }
void launch_graph(void*) { absent(); }
size_t graph_operations(const void*) { absent(); }
void destroy_graph(void*) noexcept {}
void copy_to_device(std::byte*, const std::byte*, size_t) { absent(); }
void copy_to_host(std::byte*, const std::byte*, size_t) { absent(); }
void copy_on_device(std::byte*, const std::byte*, size_t) { absent(); }
void clear(std::byte*, size_t) { absent(); }
void synchronize() { absent(); }
void copy_results(const std::vector<HostCopy>&) { absent(); }
int visible_gpus() { absent(); }
void use_gpu(int) { absent(); }
std::string gpu_name() { absent(); }
std::string library_text() { return ""; }
std::string gpu_id() { absent(); }
void push_range(const char*) {}
void pop_range() {}

}  // namespace wende::cuda
