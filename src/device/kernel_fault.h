#pragma once

#include <cstdint>

/// Bad input that only a kernel can see (a label outside of its range). The first one is kept, and
/// thrown when the host next looks (device/memory.h: throw_kernel_faults).
namespace wende::cuda {

enum class FaultKind : int32_t { kNone, kLabel, kGather, kPickLast, kCtc };

struct KernelFault {
  int32_t kind;
  int32_t value;
  int64_t size;
};

/// Where kernels report, in device memory.
KernelFault* fault_slot();

}  // namespace wende::cuda
