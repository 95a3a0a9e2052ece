#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/memory.h"
#include "tensor/strided_copy.h"
#include "tensor/strided_loops.h"

namespace wende::cuda {
namespace {

template <class T>
__global__ void __launch_bounds__(kThreads) copy_kernel(StridedLoops<2> loops, const T* source, T* target) {
  for (const int64_t i : grid_range(loops.elements)) {
    const auto offsets = loops.offsets(i);
    target[offsets.at[1]] = source[offsets.at[0]];
  }
}

template <class T>
void copy_typed(const StridedLoops<2>& loops, const std::byte* source, std::byte* target) {
  launch(copy_kernel<T>, blocks_for(loops.elements), kThreads, 0, loops, reinterpret_cast<const T*>(source),
         reinterpret_cast<T*>(target));
}

}  // namespace

void strided_copy(const Shape& shape, size_t element_bytes, const std::byte* source, const Shape& source_strides,
                  std::byte* target, const Shape& target_strides) {
  if (shape.elements() == 0) return;
  const auto loops = StridedLoops<2>::make(shape, {&source_strides, &target_strides});
  if (loops.dense) {
    const Device device{Device::Kind::kCuda, 0};
    return copy_bytes(target, device, source, device, static_cast<size_t>(shape.elements()) * element_bytes);
  }
  switch (element_bytes) {
    case 1:
      return copy_typed<uint8_t>(loops, source, target);
    case 4:
      return copy_typed<uint32_t>(loops, source, target);
    default:
      return copy_typed<uint64_t>(loops, source, target);
  }
}

}  // namespace wende::cuda
