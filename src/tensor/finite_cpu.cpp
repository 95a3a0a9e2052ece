#include <algorithm>

#include "tensor/finite_kernels.h"

namespace wende::cpu {

bool finite(const float* x, int64_t n) {
  constexpr int64_t kBlock = 1 << 14;
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t end = std::min(begin + kBlock, n);
    float sum[16] = {};  // x * 0 is NaN exactly for non-finite x; no branch in the loop
    int64_t i = begin;
    for (; i + 16 <= end; i += 16) {
      for (int lane = 0; lane < 16; ++lane) {
        sum[lane] += x[i + lane] * 0.0f;
      }
    }
    for (; i < end; ++i) {
      sum[0] += x[i] * 0.0f;
    }
    for (const float lane : sum) {
      if (lane != 0.0f) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace wende::cpu
