#include <algorithm>

#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "kernels/argsort.h"
#include "kernels/ordered_key_cuda.cuh"
#include "tensor/placement.h"

namespace wende::cuda {
namespace {

/// Keys of one block's sort in shared memory: 16 KiB.
constexpr int64_t kTile = 2048;

/// Bitonic sorting network over rows of `width` keys, a power of 2: descending where a run of `run` keys has an even
/// number, ascending in the others, so that in the end a row is descending.
__device__ void exchange(Key& a, Key& b, int64_t place, int64_t run) {
  const bool descending = (place & run) == 0;
  if ((a < b) == descending) {
    const Key smaller = a;
    a = b;
    b = smaller;
  }
}

/// Keys of the rows [rows,n]; the places behind a row get the smallest key.
__global__ void __launch_bounds__(kThreads)
    fill_keys_kernel(const float* x, int64_t n, int64_t width, int64_t all, Key* keys) {
  for (const int64_t i : grid_range(all)) {
    const int64_t place = i % width;
    keys[i] = place < n ? key_of(x[i / width * n + place], place) : 0;
  }
}

/// One block brings its tile in order as far as partners stand within it: for runs from `first` to `last` keys.
__global__ void __launch_bounds__(kThreads)
    sort_tiles_kernel(int64_t width, int64_t tile, int64_t first, int64_t last, Key* keys) {
  __shared__ Key shared[kTile];
  Key* const own = keys + int64_t{blockIdx.x} * tile;
  const int64_t place = int64_t{blockIdx.x} * tile % width;  // of the tile within its row
  for (int64_t i = threadIdx.x; i < tile; i += blockDim.x) shared[i] = own[i];
  for (int64_t run = first; run <= last; run *= 2) {
    for (int64_t distance = (run < tile ? run : tile) / 2; distance > 0; distance /= 2) {
      __syncthreads();
      for (int64_t pair = threadIdx.x; pair < tile / 2; pair += blockDim.x) {
        const int64_t i = pair / distance * 2 * distance + pair % distance;
        exchange(shared[i], shared[i + distance], place + i, run);
      }
    }
  }
  __syncthreads();
  for (int64_t i = threadIdx.x; i < tile; i += blockDim.x) own[i] = shared[i];
}

/// One step of the network between tiles.
__global__ void __launch_bounds__(kThreads)
    exchange_kernel(int64_t width, int64_t run, int64_t distance, int64_t pairs, Key* keys) {
  for (const int64_t pair : grid_range(pairs)) {
    const int64_t i = pair / distance * 2 * distance + pair % distance;
    exchange(keys[i], keys[i + distance], i % width, run);
  }
}

__global__ void __launch_bounds__(kThreads)
    write_order_kernel(const Key* keys, const float* x, int64_t n, int64_t width, int64_t all, int32_t* order,
                       float* sorted) {
  for (const int64_t i : grid_range(all)) {
    const int64_t row = i / n;
    const int64_t index = index_of(keys[row * width + i % n]);
    order[i] = static_cast<int32_t>(index);
    if (sorted != nullptr) sorted[i] = x[row * n + index];
  }
}

}  // namespace

void argsort_descending(const Tensor& x, const cpu::Scratch& scratch, const Tensor& order, const Tensor& sorted) {
  const int64_t n = x.dim(-1);
  if (x.elements() == 0) return;
  int64_t width = 2;
  while (width < n) width *= 2;
  const int64_t all = x.elements() / n * width;
  const Tensor memory = scratch(Shape{2 * all});  // a key is as large as two floats
  Key* const keys = reinterpret_cast<Key*>(device_data<float>(memory));
  launch(fill_keys_kernel, blocks_for(all), kThreads, 0, device_data<float>(x), n, width, all, keys);
  const int64_t tile = std::min(width, kTile);
  const auto tiles = static_cast<unsigned>(all / tile);
  launch(sort_tiles_kernel, tiles, kThreads, 0, width, tile, int64_t{2}, tile, keys);
  for (int64_t run = 2 * tile; run <= width; run *= 2) {
    for (int64_t distance = run / 2; distance >= tile; distance /= 2) {
      launch(exchange_kernel, blocks_for(all / 2), kThreads, 0, width, run, distance, all / 2, keys);
    }
    launch(sort_tiles_kernel, tiles, kThreads, 0, width, tile, run, run, keys);
  }
  launch(write_order_kernel, blocks_for(x.elements()), kThreads, 0, keys, device_data<float>(x), n, width, x.elements(),
         device_data<int32_t>(order), device_data_or_null<float>(sorted));
}

}  // namespace wende::cuda
