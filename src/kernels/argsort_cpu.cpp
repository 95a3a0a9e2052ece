#include <algorithm>
#include <numeric>

#include "kernels/argsort.h"

namespace wende::cpu {

void argsort_descending(const Tensor& x, const Scratch& /*scratch*/, const Tensor& order, const Tensor& sorted) {
  const int64_t n = x.dim(-1);
  const float* values = x.data<float>();
  auto* indices = order.data<int32_t>();
  for (int64_t begin = 0; begin < x.elements(); begin += n) {
    std::iota(indices + begin, indices + begin + n, 0);
    std::stable_sort(indices + begin, indices + begin + n,
                     [row = values + begin](int32_t a, int32_t b) { return row[a] > row[b]; });
  }
  if (!sorted.defined()) return;
  for (int64_t i = 0; i < x.elements(); ++i) sorted.data<float>()[i] = values[i / n * n + indices[i]];
}

}  // namespace wende::cpu
