#pragma once

#include "device/slice_team.cuh"
#include "kernels/vector_math.h"

namespace wende::cuda {

/// The sum of e^x in one pass, relative to the largest x until now.
struct ExpSum {
  float most = -INFINITY;
  float sum = 0.0f;

  template <class Chunk>
  __device__ void add(const Chunk& chunk) {
    float now = most;
    chunk.each([&](int k, int) { now = Largest()(now, chunk[k]); });
    if (now > most) sum *= vm::exp(most - now);
    most = now;
    const float shift = most == -INFINITY ? 0.0f : most;  // -inf adds nothing, a NaN shows
    chunk.each([&](int k, int) { sum += vm::exp(chunk[k] - shift); });
  }

  /// Of all threads of the team; NaN where all numbers are -inf, or one is inf or NaN.
  template <class Team>
  __device__ ExpSum of_team() const {
    const float all = Team::reduce(most, -INFINITY, Largest());
    return {all, Team::reduce(sum * vm::exp(most - all), 0.0f, Sum())};
  }

  __device__ float log() const { return most + vm::log(sum); }
};

/// Reads the slice; `chunk` is left with its last chunk. The result is where that begins.
template <class Team, int kWidth>
__device__ int64_t add_slice(const Slice& slice, const float* x, HeldChunk<Team, kWidth>& chunk, ExpSum& sum) {
  int64_t first = 0;
  for (; first < slice.size; first += chunk.kSize) {
    chunk.load(slice, first, x);
    sum.add(chunk);
  }
  return first - chunk.kSize;
}

/// log(sum of e^x) over a slice; all threads of the team get it.
template <class Team, int kWidth>
__device__ float log_sum_exp(const Slice& slice, const float* x) {
  HeldChunk<Team, kWidth> chunk;
  ExpSum sum;
  add_slice(slice, x, chunk, sum);
  return sum.of_team<Team>().log();
}

}  // namespace wende::cuda
