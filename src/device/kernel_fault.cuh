#pragma once

#include <cuda_runtime.h>

#include <cstdint>

/// For CUDA sources: bad input that only a kernel can see (a label outside of its range). The first one is kept, and
/// thrown when the host next looks (device/memory.h: throw_kernel_faults).
namespace wende::cuda {

enum class FaultKind : int32_t { kNone, kLabel, kGather, kPickLast };

struct KernelFault {
  int32_t kind;
  int32_t value;
  int64_t size;
};

/// Where kernels report, in device memory.
KernelFault* fault_slot();

__device__ inline void report_fault(KernelFault* slot, FaultKind kind, int32_t value, int64_t size) {
  if (atomicCAS(&slot->kind, 0, static_cast<int32_t>(kind)) == 0) {
    slot->value = value;
    slot->size = size;
  }
}

/// The index if it is in [0, size); else 0, and the fault is reported.
__device__ inline int64_t checked_index(KernelFault* slot, FaultKind kind, int32_t index, int64_t size) {
  if (index >= 0 && index < size) return index;
  report_fault(slot, kind, index, size);
  return 0;
}

}  // namespace wende::cuda
