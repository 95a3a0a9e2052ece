#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/memory.h"
#include "device/pack.cuh"
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

constexpr int kSource = 0;
constexpr int kTarget = 1;

/// 16 bytes as one element, where all strides and addresses allow it.
bool copy_packs(StridedLoops<2> loops, int64_t in_pack, const std::byte* source, std::byte* target) {
  using Bytes = Pack<uint32_t>;
  const int last = loops.rank - 1;
  const auto aligned = [](const std::byte* data) { return reinterpret_cast<uintptr_t>(data) % sizeof(Bytes) == 0; };
  bool fits = aligned(source) && aligned(target) && loops.sizes[last] % in_pack == 0;
  for (int operand = 0; operand < 2; ++operand) {
    fits = fits && loops.strides[operand][last] == 1;
    for (int axis = 0; axis < last; ++axis) {
      fits = fits && loops.strides[operand][axis] % in_pack == 0;
      loops.strides[operand][axis] /= in_pack;
    }
  }
  if (!fits) return false;
  loops.sizes[last] /= in_pack;
  loops.elements /= in_pack;
  copy_typed<Bytes>(loops, source, target);
  return true;
}

constexpr int64_t kTile = 32;
constexpr unsigned kTileRows = 8;

/// Tiles of two axes change places in shared memory, so that both sides are read and written in lines: `across` steps
/// through neighbours in the source, the last axis through those in the target. others: the axes but these two.
struct Tiles {
  StridedLoops<2> others;
  int64_t across, last;  ///< sizes
  int64_t source_last;   ///< strides, where they are not 1
  int64_t target_across;
  int64_t across_tiles, last_tiles;
};

template <class T>
__global__ void __launch_bounds__(kTile* kTileRows) transpose_kernel(Tiles tiles, const T* source, T* target) {
  __shared__ T tile[kTile][kTile + 1];
  const int64_t number = blockIdx.x;
  const int64_t last = number % tiles.last_tiles * kTile;
  const int64_t across = number / tiles.last_tiles % tiles.across_tiles * kTile;
  const auto offsets = tiles.others.offsets(number / tiles.last_tiles / tiles.across_tiles);
  for (int64_t i = threadIdx.y; i < kTile; i += kTileRows) {
    const bool inside = last + i < tiles.last && across + threadIdx.x < tiles.across;
    if (inside)
      tile[i][threadIdx.x] = source[offsets.at[kSource] + (last + i) * tiles.source_last + across + threadIdx.x];
  }
  __syncthreads();
  for (int64_t i = threadIdx.y; i < kTile; i += kTileRows) {
    const bool inside = across + i < tiles.across && last + threadIdx.x < tiles.last;
    if (inside)
      target[offsets.at[kTarget] + (across + i) * tiles.target_across + last + threadIdx.x] = tile[threadIdx.x][i];
  }
}

/// The axis along which the source has its neighbours, of those that do not lie so in the target; -1: none that is
/// worth it.
int crossing_axis(const StridedLoops<2>& loops) {
  const int last = loops.rank - 1;
  if (loops.strides[kTarget][last] != 1 || loops.strides[kSource][last] <= 1 || loops.sizes[last] < 4) return -1;
  for (int axis = 0; axis < last; ++axis) {
    if (loops.strides[kSource][axis] == 1 && loops.sizes[axis] >= 4) return axis;
  }
  return -1;
}

template <class T>
bool transpose(const StridedLoops<2>& loops, const std::byte* source, std::byte* target) {
  const int crossing = crossing_axis(loops);
  if (crossing < 0) return false;
  const int last = loops.rank - 1;
  Tiles tiles{};
  tiles.across = loops.sizes[crossing];
  tiles.last = loops.sizes[last];
  tiles.source_last = loops.strides[kSource][last];
  tiles.target_across = loops.strides[kTarget][crossing];
  tiles.across_tiles = (tiles.across + kTile - 1) / kTile;
  tiles.last_tiles = (tiles.last + kTile - 1) / kTile;
  for (int axis = 0; axis < last; ++axis) {
    if (axis == crossing) continue;
    tiles.others.elements *= loops.sizes[axis];
    tiles.others.sizes[tiles.others.rank] = loops.sizes[axis];
    for (int operand = 0; operand < 2; ++operand) {
      tiles.others.strides[operand][tiles.others.rank] = loops.strides[operand][axis];
    }
    ++tiles.others.rank;
  }
  const int64_t blocks = tiles.others.elements * tiles.across_tiles * tiles.last_tiles;
  if (blocks > INT32_MAX) return false;
  launch(transpose_kernel<T>, static_cast<unsigned>(blocks), dim3(kTile, kTileRows), 0, tiles,
         reinterpret_cast<const T*>(source), reinterpret_cast<T*>(target));
  return true;
}

template <class T>
void copy_best(const StridedLoops<2>& loops, const std::byte* source, std::byte* target) {
  if (sizeof(T) >= 4 && copy_packs(loops, 16 / sizeof(T), source, target)) return;
  if (transpose<T>(loops, source, target)) return;
  copy_typed<T>(loops, source, target);
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
      return copy_best<uint8_t>(loops, source, target);
    case 4:
      return copy_best<uint32_t>(loops, source, target);
    default:
      return copy_best<uint64_t>(loops, source, target);
  }
}

}  // namespace wende::cuda
