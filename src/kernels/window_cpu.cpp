#include <algorithm>

#include "kernels/window.h"

namespace wende::cpu {

void window(const Tensor& x, int64_t left, const Tensor& out) {
  const int64_t times = out.dim(1);
  const int64_t width = out.dim(2);
  const int64_t inner = out.dim(3);
  const float* source = x.data<float>();
  float* target = out.data<float>();
  for (int64_t o = 0; o < out.dim(0); ++o) {
    for (int64_t t = 0; t < times; ++t) {
      for (int64_t w = 0; w < width; ++w, target += inner) {
        const int64_t from = t + w - left;
        if (from >= 0 && from < times) {
          std::copy_n(source + (o * times + from) * inner, inner, target);
        } else {
          std::fill_n(target, inner, 0.0f);
        }
      }
    }
  }
}

void window_sum(const Tensor& x, int64_t left, const Tensor& out) {
  const int64_t times = x.dim(1);
  const int64_t width = x.dim(2);
  const int64_t inner = x.dim(3);
  const float* source = x.data<float>();
  float* target = out.data<float>();
  std::fill_n(target, out.elements(), 0.0f);
  for (int64_t o = 0; o < x.dim(0); ++o) {
    for (int64_t t = 0; t < times; ++t, target += inner) {
      const int64_t first = std::max<int64_t>(0, t + left - times + 1);
      const int64_t last = std::min(width - 1, t + left);
      for (int64_t w = first; w <= last; ++w) {
        const float* row = source + ((o * times + t + left - w) * width + w) * inner;
        for (int64_t k = 0; k < inner; ++k) target[k] += row[k];
      }
    }
  }
}

}  // namespace wende::cpu
