#pragma once

#include <cstddef>
#include <memory>
#include <string>

namespace wende {

/// Where numbers live and kernels run.
struct Device {
  enum class Kind { kCpu, kCuda };
  Kind kind = Kind::kCpu;
  int index = 0;

  static Device cpu() { return {}; }
  bool is_cpu() const { return kind == Kind::kCpu; }
  bool operator==(const Device&) const = default;
  std::string str() const;  ///< "cpu", "cuda:0"
};

/// A piece of memory of one device, 64-byte aligned. Freed (returned to the allocator) with the last owner.
class Buffer {
 public:
  /// Throws Error kOutOfMemory with the size asked.
  static std::shared_ptr<Buffer> allocate(size_t bytes, Device device = Device::cpu());
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return data_; }
  size_t bytes() const { return bytes_; }
  Device device() const { return device_; }

 private:
  Buffer(std::byte* data, size_t bytes, Device device) : data_(data), bytes_(bytes), device_(device) {}
  std::byte* data_;
  size_t bytes_;
  Device device_;
};

}  // namespace wende
