#pragma once

#include <cstdint>
#include <limits>

#include "kernels/vector_math.h"

namespace wende::cpu {

/// Reductions over one row with kLanes independent accumulators: a fixed order of additions that vectorises without
/// -ffast-math and gives the same bits on every run.
constexpr int64_t kLanes = 32;

template <class Combine, class Load>
inline float row_reduce(int64_t n, float neutral, Combine combine, Load load) {
  float lanes[kLanes];
  for (int64_t k = 0; k < kLanes; ++k) lanes[k] = neutral;
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t k = 0; k < kLanes; ++k) lanes[k] = combine(lanes[k], load(i + k));
  }
  for (int64_t k = 0; i + k < n; ++k) lanes[k] = combine(lanes[k], load(i + k));
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t k = 0; k < half; ++k) lanes[k] = combine(lanes[k], lanes[k + half]);
  }
  return lanes[0];
}

/// Ignores NaN: sums over the row still propagate it.
inline float row_max(const float* x, int64_t n) {
  return row_reduce(
      n, -std::numeric_limits<float>::infinity(), [](float a, float b) { return b > a ? b : a; },
      [x](int64_t i) { return x[i]; });
}

inline float row_sum(const float* x, int64_t n) {
  return row_reduce(
      n, 0.0f, [](float a, float b) { return a + b; }, [x](int64_t i) { return x[i]; });
}

inline float row_sum_exp(const float* x, int64_t n, float shift) {
  return row_reduce(
      n, 0.0f, [](float a, float b) { return a + b; }, [x, shift](int64_t i) { return vm::exp(x[i] - shift); });
}

inline float row_dot(const float* x, const float* y, int64_t n) {
  return row_reduce(
      n, 0.0f, [](float a, float b) { return a + b; }, [x, y](int64_t i) { return x[i] * y[i]; });
}

}  // namespace wende::cpu
