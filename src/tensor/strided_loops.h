#pragma once

#include <cstdint>

#include "device/host_device.h"
#include "tensor/tensor.h"

namespace wende {

/// Where element i (in C order of the shape) of up to N operands lies, in elements; a plain value for kernels. Axes of
/// size 1 are dropped, and neighbours that all operands step through as one axis are merged.
template <int N>
struct StridedLoops {
  int64_t elements = 1;
  int rank = 0;
  int64_t sizes[kMaxRank];
  int64_t strides[N][kMaxRank];  ///< innermost axis last
  bool dense = true;             ///< element i of every operand lies at i

  /// strides_of[n]: of operand n, over all axes of the shape.
  static StridedLoops make(const Shape& shape, const Shape* const (&strides_of)[N]) {
    StridedLoops loops;
    loops.elements = shape.elements();
    for (int axis = 0; axis < shape.rank(); ++axis) {
      if (shape[axis] == 1) continue;
      bool merges = loops.rank > 0;
      for (int n = 0; n < N && merges; ++n) {
        merges = loops.strides[n][loops.rank - 1] == (*strides_of[n])[axis] * shape[axis];
      }
      if (merges) {
        loops.sizes[loops.rank - 1] *= shape[axis];
      } else {
        loops.sizes[loops.rank++] = shape[axis];
      }
      for (int n = 0; n < N; ++n) loops.strides[n][loops.rank - 1] = (*strides_of[n])[axis];
    }
    loops.dense = loops.rank == 0 || loops.rank == 1;
    for (int n = 0; n < N && loops.rank == 1; ++n) loops.dense = loops.dense && loops.strides[n][0] == 1;
    return loops;
  }

  struct Offsets {
    int64_t at[N];
  };
  /// 32-bit divisions where they suffice: 64-bit ones are many instructions on a GPU.
  WENDE_HD inline Offsets offsets(int64_t i) const {
    return elements <= 0x7fffffff ? offsets_of(static_cast<uint32_t>(i)) : offsets_of(static_cast<uint64_t>(i));
  }

  template <class Index>
  WENDE_HD inline Offsets offsets_of(Index i) const {
    Offsets offsets{};
    for (int axis = rank - 1; axis > 0; --axis) {
      const Index size = static_cast<Index>(sizes[axis]);
      const Index rest = i / size;
      const int64_t index = static_cast<int64_t>(i - rest * size);
      i = rest;
      for (int n = 0; n < N; ++n) offsets.at[n] += index * strides[n][axis];
    }
    if (rank > 0) {
      for (int n = 0; n < N; ++n) offsets.at[n] += static_cast<int64_t>(i) * strides[n][0];
    }
    return offsets;
  }
};

/// Strides with which an operand is read for a result of this shape: 0 along axes of size 1, and for rank 0.
inline Shape broadcast_strides(const Tensor& operand, const Shape& shape) {
  Shape strides = shape;
  for (int axis = 0; axis < shape.rank(); ++axis) {
    strides[axis] = operand.rank() == 0 || operand.shape()[axis] == 1 ? 0 : operand.strides()[axis];
  }
  return strides;
}

}  // namespace wende
