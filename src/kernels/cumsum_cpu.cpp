#include <algorithm>

#include "kernels/cumsum.h"

namespace wende::cpu {
namespace {

template <class T>
void cumsum_of(const Tensor& x, bool reverse, const Tensor& out) {
  const int64_t times = x.dim(1);
  const int64_t inner = x.dim(2);
  for (int64_t o = 0; o < x.dim(0); ++o) {
    const T* source = x.data<T>() + o * times * inner;
    T* target = out.data<T>() + o * times * inner;
    for (int64_t step = 0; step < times; ++step) {
      const int64_t t = reverse ? times - 1 - step : step;
      const T* in = source + t * inner;
      T* to = target + t * inner;
      if (step == 0) {
        std::copy_n(in, inner, to);
        continue;
      }
      const T* before = target + (reverse ? t + 1 : t - 1) * inner;
      for (int64_t i = 0; i < inner; ++i) to[i] = before[i] + in[i];
    }
  }
}

}  // namespace

void cumsum(const Tensor& x, bool reverse, const Tensor& out) {
  if (x.dtype() == DType::kInt32) {
    cumsum_of<int32_t>(x, reverse, out);
  } else {
    cumsum_of<float>(x, reverse, out);
  }
}

}  // namespace wende::cpu
