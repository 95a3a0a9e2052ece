#include "collective/bfloat16.h"
#include "device/cuda_check.cuh"
#include "device/grid_range.cuh"
#include "device/pack.cuh"

namespace wende::cuda {
namespace {

struct Round {
  __device__ uint16_t operator()(float x) const { return to_bfloat16(x); }
};
struct Widen {
  __device__ float operator()(uint16_t x) const { return from_bfloat16(x); }
};

/// Whole packs first; without packs each number by itself.
template <class F, class In, class Out>
__global__ void __launch_bounds__(kThreads) convert_kernel(F f, const In* from, Out* to, int64_t packs, int64_t n) {
  for (const int64_t i : grid_range(packs)) {
    const Pack<In> in = load_pack(from + i * kPack, 1);
    Pack<Out> out;
    for (int k = 0; k < kPack; ++k) out.at[k] = f(in.at[k]);
    store_pack(to + i * kPack, out);
  }
  for (const int64_t i : grid_range(n - packs * kPack)) to[packs * kPack + i] = f(from[packs * kPack + i]);
}

template <class F, class In, class Out>
void convert(F f, const In* from, Out* to, size_t count) {
  const auto n = static_cast<int64_t>(count);
  const int64_t packs = aligned_for_packs(from) && aligned_for_packs(to) ? n / kPack : 0;
  launch(convert_kernel<F, In, Out>, blocks_for(packs > 0 ? packs : n), kThreads, 0, f, from, to, packs, n);
}

}  // namespace

void round_to_bfloat16(const float* from, uint16_t* to, size_t count) { convert(Round(), from, to, count); }

void widen_bfloat16(const uint16_t* from, float* to, size_t count) { convert(Widen(), from, to, count); }

}  // namespace wende::cuda
