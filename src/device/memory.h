#pragma once

#include <cstddef>
#include <vector>

#include "device/device.h"

namespace wende {

/// Copies in the order of the device's kernels. A copy to the host is complete on return; one from the host has read
/// its source on return.
void copy_bytes(std::byte* to, Device to_device, const std::byte* from, Device from_device, size_t bytes);
void clear_bytes(std::byte* data, Device device, size_t bytes);
/// Waits until all that was started on the device is done; throws what failed meanwhile.
void synchronize(Device device);
/// The same, and throws kMalformedInput for bad input that kernels have seen: labels and indices outside of their
/// range.
void throw_kernel_faults(Device device);

/// Bytes of a device that the host wants.
struct HostCopy {
  std::byte* to;
  const std::byte* from;
  size_t bytes;
};
/// The same after copies to the host, all complete on return: the device is waited for once.
void copy_results(Device device, const std::vector<HostCopy>& copies);

/// A range of this name in the timelines of GPU profilers, while it lives. Nothing for the CPU.
class ProfilerRange {
 public:
  ProfilerRange(Device device, const char* name) : open_(!device.is_cpu()) {
    if (open_) begin(name);
  }
  ~ProfilerRange() {
    if (open_) end();
  }
  ProfilerRange(const ProfilerRange&) = delete;
  ProfilerRange& operator=(const ProfilerRange&) = delete;

 private:
  static void begin(const char* name);
  static void end();
  bool open_;
};

}  // namespace wende
