#include <fmt/core.h>
#include <sys/mman.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "base/error.h"
#include "device/cuda_memory.h"
#include "device/memory.h"

namespace wende {

namespace {

constexpr size_t kAlignment = 64;

/// WENDE_DEVICE_MEM in a build without CUDA, as if the host were a GPU: most MiB of buffers; 0: all there is.
size_t host_limit() {
  static const size_t kLimit = [] {
    const char* text = cuda::kPresent ? nullptr : std::getenv("WENDE_DEVICE_MEM");
    return text == nullptr ? 0 : static_cast<size_t>(std::atof(text) * (1 << 20));
  }();
  return kLimit;
}

/// Counted only where there is a limit.
std::atomic<size_t> host_bytes{0};

/// Large blocks ask for pages of 2 MB: with 4 KB, products wait for the addresses of the columns and rows that they
/// walk along (20 % of their time with FMAs, 40 % with AMX, on a virtual machine). Null: there is no memory.
void* allocate_pages(size_t bytes) {
  constexpr size_t kHugePage = size_t{2} << 20;
  if (bytes < kHugePage) {
    const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
    // Empty buffers own memory too, so that a null pointer means "undefined" everywhere.
    return std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
  }
  void* data = nullptr;
  if (posix_memalign(&data, kHugePage, bytes) != 0) return nullptr;
  madvise(data, bytes, MADV_HUGEPAGE);  // as far as the system has them
  return data;
}

/// Null where there is no memory left, or the limit forbids it.
void* host_memory(size_t bytes) {
  if (host_limit() > 0 && host_bytes.fetch_add(bytes) + bytes > host_limit()) {
    host_bytes.fetch_sub(bytes);
    return nullptr;
  }
  return allocate_pages(bytes);
}

}  // namespace

std::string Device::str() const { return is_cpu() ? "cpu" : fmt::format("cuda:{}", index); }

std::shared_ptr<Buffer> Buffer::allocate(size_t bytes, Device device) {
  if (bytes > SIZE_MAX - kAlignment) throw internal_error(fmt::format("a buffer of {} bytes was asked for", bytes));
  if (!device.is_cpu()) {
    return std::shared_ptr<Buffer>(new Buffer(cuda::allocate(bytes == 0 ? kAlignment : bytes), bytes, device));
  }
  void* data = host_memory(bytes);
  if (data == nullptr) {
    const auto mebibytes = [](size_t count) { return static_cast<double>(count) / (1 << 20); };
    const std::string limit =
        host_limit() == 0 ? "" : fmt::format(", WENDE_DEVICE_MEM allows {:.1f}", mebibytes(host_limit()));
    throw Error(ExitStatus::kOutOfMemory,
                fmt::format("cannot allocate {:.1f} MiB on {}{}", mebibytes(bytes), device.str(), limit));
  }
  return std::shared_ptr<Buffer>(new Buffer(static_cast<std::byte*>(data), bytes, device));
}

Buffer::~Buffer() {
  if (device_.is_cpu()) {
    if (host_limit() > 0) host_bytes.fetch_sub(bytes_);
    std::free(data_);
  } else {
    cuda::release(data_);
  }
}

void copy_bytes(std::byte* to, Device to_device, const std::byte* from, Device from_device, size_t bytes) {
  if (bytes == 0) return;
  if (to_device.is_cpu() && from_device.is_cpu()) {
    std::memcpy(to, from, bytes);
  } else if (from_device.is_cpu()) {
    cuda::copy_to_device(to, from, bytes);
  } else if (to_device.is_cpu()) {
    cuda::copy_to_host(to, from, bytes);
  } else {
    cuda::copy_on_device(to, from, bytes);
  }
}

void clear_bytes(std::byte* data, Device device, size_t bytes) {
  if (bytes == 0) return;
  if (device.is_cpu()) {
    std::memset(data, 0, bytes);
  } else {
    cuda::clear(data, bytes);
  }
}

void ProfilerRange::begin(const char* name) { cuda::push_range(name); }
void ProfilerRange::end() { cuda::pop_range(); }

void throw_kernel_faults(Device device) { copy_results(device, {}); }

void copy_results(Device device, const std::vector<HostCopy>& copies) {
  if (!device.is_cpu()) return cuda::copy_results(copies);
  for (const HostCopy& copy : copies) copy_bytes(copy.to, device, copy.from, device, copy.bytes);
}

void synchronize(Device device) {
  if (!device.is_cpu()) cuda::synchronize();
}

}  // namespace wende
