#include <fmt/core.h>

#include <array>
#include <cstring>
#include <utility>

#include "base/error.h"
#include "device/cuda_check.cuh"
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

namespace {

void throw_fault(const KernelFault& fault) {
  if (fault.kind == 0) return;
  clear(reinterpret_cast<std::byte*>(fault_slot()), sizeof(fault));
  throw Error(
      ExitStatus::kMalformedInput,
      fmt::format("{} {} is outside of [0,{})", kNames.at(static_cast<size_t>(fault.kind)), fault.value, fault.size));
}

}  // namespace

/// A copy to memory that is not pinned waits for the GPU by itself: small ones go by way of a pinned block.
void copy_results(const std::vector<HostCopy>& copies) {
  constexpr size_t kBlock = size_t{64} << 10;
  constexpr size_t kAligned = 16;
  thread_local std::byte* const block = [] {
    void* pinned = nullptr;
    WENDE_CUDA_CHECK(cudaMallocHost(&pinned, kBlock));
    return static_cast<std::byte*>(pinned);
  }();
  size_t taken = 0;
  std::vector<std::pair<std::byte*, const HostCopy*>> on_the_way;
  const auto start = [&](const HostCopy& copy) {
    const bool small = taken + copy.bytes <= kBlock;
    std::byte* to = small ? block + taken : copy.to;
    WENDE_CUDA_CHECK(cudaMemcpyAsync(to, copy.from, copy.bytes, cudaMemcpyDeviceToHost, stream()));
    if (!small) return;
    on_the_way.emplace_back(to, &copy);
    taken += (copy.bytes + kAligned - 1) / kAligned * kAligned;
  };
  KernelFault fault{};
  const HostCopy of_fault{reinterpret_cast<std::byte*>(&fault), reinterpret_cast<const std::byte*>(fault_slot()),
                          sizeof(fault)};
  start(of_fault);
  for (const HostCopy& copy : copies) {
    if (copy.bytes > 0) start(copy);
  }
  synchronize();
  for (const auto& [from, copy] : on_the_way) std::memcpy(copy->to, from, copy->bytes);
  throw_fault(fault);
}

}  // namespace wende::cuda
