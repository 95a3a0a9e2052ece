#include <fmt/core.h>

#include <array>

#include "base/error.h"
#include "device/cuda_memory.h"
#include "device/kernel_fault.h"

namespace wende::cuda {
namespace {

constexpr std::array<const char*, 5> kNames = {"", "[cross_entropy] label", "[gather] index", "[pick_last] index",
                                               "[ctc_loss] label"};

}  // namespace

KernelFault* fault_slot() {
  static KernelFault* const kSlot = [] {
    std::byte* memory = allocate(sizeof(KernelFault));
    clear(memory, sizeof(KernelFault));
    return reinterpret_cast<KernelFault*>(memory);
  }();
  return kSlot;
}

void throw_faults() {
  KernelFault fault{};
  std::byte* slot = reinterpret_cast<std::byte*>(fault_slot());
  copy_to_host(reinterpret_cast<std::byte*>(&fault), slot, sizeof(fault));
  if (fault.kind == 0) return;
  clear(slot, sizeof(fault));
  throw Error(
      ExitStatus::kMalformedInput,
      fmt::format("{} {} is outside of [0,{})", kNames.at(static_cast<size_t>(fault.kind)), fault.value, fault.size));
}

}  // namespace wende::cuda
