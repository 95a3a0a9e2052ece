#include <algorithm>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"
#include "kernels/copy_many.h"

namespace wende::cuda {
namespace {

constexpr size_t kMostCopies = 32;

struct Copy {
  const std::byte* from;
  std::byte* to;
  int64_t bytes;
};
struct Copies {
  Copy copy[kMostCopies];
};

template <class T>
__device__ void copy_as(const Copy& copy) {
  const auto* from = reinterpret_cast<const T*>(copy.from);
  auto* to = reinterpret_cast<T*>(copy.to);
  for (const int64_t i : grid_range(copy.bytes / static_cast<int64_t>(sizeof(T)))) to[i] = from[i];
}

/// A copy per blockIdx.y.
__global__ void __launch_bounds__(kThreads) copy_kernel(Copies copies) {
  const Copy copy = copies.copy[blockIdx.y];  // no reference: the compiler would copy all of them to local memory
  const auto places = reinterpret_cast<uintptr_t>(copy.from) | reinterpret_cast<uintptr_t>(copy.to) |
                      static_cast<uintptr_t>(copy.bytes);
  if (places % sizeof(Pack<float>) == 0) {
    copy_as<Pack<float>>(copy);
  } else if (places % sizeof(float) == 0) {
    copy_as<float>(copy);
  } else {
    copy_as<std::byte>(copy);
  }
}

}  // namespace

void copy_many(const std::vector<cpu::TensorCopy>& copies) {
  for (size_t begin = 0; begin < copies.size(); begin += kMostCopies) {
    const size_t end = std::min(copies.size(), begin + kMostCopies);
    Copies some{};
    int64_t longest = 0;
    for (size_t i = begin; i < end; ++i) {
      const auto bytes = static_cast<int64_t>(copies[i].to.bytes());
      some.copy[i - begin] = {copies[i].from.raw(), copies[i].to.raw(), bytes};
      longest = std::max(longest, bytes);
    }
    constexpr auto kBytes = static_cast<int64_t>(sizeof(Pack<float>));
    const dim3 grid(blocks_for((longest + kBytes - 1) / kBytes), static_cast<unsigned>(end - begin));
    if (longest > 0) launch(copy_kernel, grid, kThreads, 0, some);
  }
}

}  // namespace wende::cuda
