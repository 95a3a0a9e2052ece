#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tensor/strided_copy.h"

namespace wende::cpu {
namespace {

struct Axis {
  int64_t size;
  int64_t source;
  int64_t target;
};

/// Axes of size > 1, outermost first; neighbours that step through memory as one axis are merged.
struct Loops {
  std::array<Axis, kMaxRank> axes;
  int rank = 0;

  Loops(const Shape& shape, const Shape& source, const Shape& target) {
    for (int i = 0; i < shape.rank(); ++i) {
      if (shape[i] == 1) continue;
      const Axis axis{shape[i], source[i], target[i]};
      if (rank > 0) {
        Axis& outer = axes[static_cast<size_t>(rank - 1)];
        if (outer.source == axis.source * axis.size && outer.target == axis.target * axis.size) {
          outer = {outer.size * axis.size, axis.source, axis.target};
          continue;
        }
      }
      axes[static_cast<size_t>(rank++)] = axis;
    }
  }
  const Axis& from_inner(int i) const { return axes[static_cast<size_t>(rank - 1 - i)]; }
};

template <class T>
void copy_line(const Axis& axis, const T* source, T* target) {
  if (axis.source == 1 && axis.target == 1) {
    std::memcpy(target, source, static_cast<size_t>(axis.size) * sizeof(T));
  } else if (axis.source == 0 && axis.target == 1) {
    std::fill_n(target, axis.size, *source);
  } else {
    for (int64_t i = 0; i < axis.size; ++i) target[i * axis.target] = source[i * axis.source];
  }
}

/// Two axes in tiles, so that a transposition uses whole cache lines on both sides.
template <class T>
void copy_plane(const Axis& outer, const Axis& inner, const T* source, T* target) {
  constexpr int64_t kTile = 16;
  for (int64_t i0 = 0; i0 < outer.size; i0 += kTile) {
    const int64_t i1 = std::min(i0 + kTile, outer.size);
    for (int64_t j0 = 0; j0 < inner.size; j0 += kTile) {
      const int64_t j1 = std::min(j0 + kTile, inner.size);
      for (int64_t i = i0; i < i1; ++i) {
        for (int64_t j = j0; j < j1; ++j) {
          target[i * outer.target + j * inner.target] = source[i * outer.source + j * inner.source];
        }
      }
    }
  }
}

template <class T>
void copy_loops(const Loops& loops, int level, const T* source, T* target) {
  const int left = loops.rank - level;
  if (left == 0) {
    *target = *source;
    return;
  }
  const Axis& axis = loops.axes[static_cast<size_t>(level)];
  if (left == 1) return copy_line(axis, source, target);
  if (left == 2) {
    const Axis& inner = loops.from_inner(0);
    const bool lines = inner.target == 1 && (inner.source == 1 || inner.source == 0);
    if (!lines) return copy_plane(axis, inner, source, target);
  }
  for (int64_t i = 0; i < axis.size; ++i) {
    copy_loops(loops, level + 1, source + i * axis.source, target + i * axis.target);
  }
}

template <class T>
void copy_typed(const Loops& loops, const std::byte* source, std::byte* target) {
  copy_loops(loops, 0, reinterpret_cast<const T*>(source), reinterpret_cast<T*>(target));
}

}  // namespace

void strided_copy(const Shape& shape, size_t element_bytes, const std::byte* source, const Shape& source_strides,
                  std::byte* target, const Shape& target_strides) {
  if (shape.elements() == 0) return;
  const Loops loops(shape, source_strides, target_strides);
  switch (element_bytes) {
    case 1:
      return copy_typed<uint8_t>(loops, source, target);
    case 4:
      return copy_typed<uint32_t>(loops, source, target);
    default:
      return copy_typed<uint64_t>(loops, source, target);
  }
}

}  // namespace wende::cpu
