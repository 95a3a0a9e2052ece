#pragma once

#include <cuda_runtime.h>

#include <cstdint>
#include <type_traits>

#include "tensor/strided_loops.h"

/// For CUDA sources: four neighbouring elements in one access of up to 16 bytes. Kernels that only move numbers need
/// them: accesses of 4 bytes keep too few bytes under way for the memory's full rate.
namespace wende::cuda {

constexpr int kPack = 4;

template <class T>
struct alignas(kPack * sizeof(T) < 16 ? kPack * sizeof(T) : 16) Pack {
  T at[kPack];
};

/// stride: 1, or 0 for four times the same.
template <class T>
__device__ Pack<T> load_pack(const T* from, int64_t stride) {
  if (stride == 1) return *reinterpret_cast<const Pack<T>*>(from);
  const T value = *from;
  return {value, value, value, value};
}

template <class T>
__device__ void store_pack(T* to, const Pack<T>& pack) {
  *reinterpret_cast<Pack<T>*>(to) = pack;
}

template <class T>
bool aligned_for_packs(const T* data) {
  return reinterpret_cast<uintptr_t>(data) % alignof(Pack<T>) == 0;
}

/// kWidth neighbouring floats in one access: 4 or 1.
template <int kWidth>
struct alignas(kWidth * sizeof(float)) Floats {
  float at[kWidth];
};

/// Calls visit(unit, count) with the widest unit, of 16, 4 or 1 bytes, of which rows of so many bytes at these places
/// are made: for kernels that only move them.
template <class Visit, class... T>
void with_units(int64_t row_bytes, const Visit& visit, const T*... data) {
  const auto places = (static_cast<uintptr_t>(row_bytes) | ... | reinterpret_cast<uintptr_t>(data));
  if (places % 16 == 0) return visit(Pack<uint32_t>{}, row_bytes / 16);
  if (places % 4 == 0) return visit(uint32_t{}, row_bytes / 4);
  visit(uint8_t{}, row_bytes);
}

/// Calls visit(width) with std::integral_constant of 4 or 1: what fits rows of n floats at these places.
template <class Visit, class... T>
void with_floats(int64_t n, const Visit& visit, const T*... data) {
  if (n % kPack == 0 && (aligned_for_packs(data) && ...)) return visit(std::integral_constant<int, kPack>());
  visit(std::integral_constant<int, 1>());
}

/// Along the innermost axis of the loops.
template <int N>
WENDE_HD int64_t inner_stride(const StridedLoops<N>& loops, int operand) {
  return loops.rank == 0 ? 1 : loops.strides[operand][loops.rank - 1];
}

/// Can operand n be read, and if it is number 0 written, four at a time?
template <int N, class T>
bool operand_fits_packs(const StridedLoops<N>& loops, int n, const T* data) {
  const int64_t inner = inner_stride(loops, n);
  if (inner == 0) return n > 0;
  bool fits = inner == 1 && aligned_for_packs(data);
  for (int axis = 0; axis < loops.rank - 1; ++axis) fits = fits && loops.strides[n][axis] % kPack == 0;
  return fits;
}

/// Can all be? Only dense operands may end with an incomplete pack. data: of all operands, in order.
template <int N, class... T>
bool fits_packs(const StridedLoops<N>& loops, const T*... data) {
  if (!loops.dense && loops.sizes[loops.rank - 1] % kPack != 0) return false;
  int n = 0;
  bool fits = true;
  ((fits = operand_fits_packs(loops, n++, data) && fits), ...);
  return fits;
}

}  // namespace wende::cuda
