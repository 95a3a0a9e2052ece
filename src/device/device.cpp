#include "device/device.h"

#include <fmt/core.h>

#include <cstdlib>

#include "base/error.h"

namespace wende {

std::string Device::str() const { return is_cpu() ? "cpu" : fmt::format("cuda:{}", index); }

std::shared_ptr<Buffer> Buffer::allocate(size_t bytes, Device device) {
  constexpr size_t kAlignment = 64;
  if (!device.is_cpu()) throw internal_error("this build has no memory on " + device.str());
  if (bytes > SIZE_MAX - kAlignment) throw internal_error(fmt::format("a buffer of {} bytes was asked for", bytes));
  const size_t rounded = (bytes + kAlignment - 1) / kAlignment * kAlignment;
  // Empty buffers own memory too, so that a null pointer means "undefined" everywhere.
  void* data = std::aligned_alloc(kAlignment, rounded == 0 ? kAlignment : rounded);
  if (data == nullptr) {
    throw Error(ExitStatus::kOutOfMemory,
                fmt::format("cannot allocate {:.1f} MiB on {}", static_cast<double>(bytes) / (1 << 20), device.str()));
  }
  return std::shared_ptr<Buffer>(new Buffer(static_cast<std::byte*>(data), bytes, device));
}

Buffer::~Buffer() { std::free(data_); }

}  // namespace wende
