#include <algorithm>
#include <numeric>
#include <vector>

#include "kernels/top_k.h"

namespace wende::cpu {
namespace {

template <class T>
void top_k_of(const Tensor& x, const Tensor& values, const Tensor& indices) {
  const int64_t n = x.dim(-1);
  const int64_t k = values.dim(-1);
  const int64_t rows = n == 0 ? 0 : x.elements() / n;
  std::vector<int32_t> order(static_cast<size_t>(n));
  for (int64_t r = 0; r < rows; ++r) {
    const T* row = x.data<T>() + r * n;
    std::iota(order.begin(), order.end(), 0);
    std::partial_sort(order.begin(), order.begin() + k, order.end(),
                      [row](int32_t a, int32_t b) { return row[a] > row[b] || (row[a] == row[b] && a < b); });
    std::copy_n(order.begin(), k, indices.data<int32_t>() + r * k);
    for (int64_t i = 0; i < k; ++i) values.data<T>()[r * k + i] = row[order[static_cast<size_t>(i)]];
  }
}

}  // namespace

void top_k(const Tensor& x, const Tensor& values, const Tensor& indices) {
  if (x.dtype() == DType::kInt32) {
    top_k_of<int32_t>(x, values, indices);
  } else {
    top_k_of<float>(x, values, indices);
  }
}

}  // namespace wende::cpu
