#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

namespace wende {

/// x seen as [outer, count, inner], reduced over count.
struct ReduceLayout {
  int64_t outer = 1;
  int64_t count = 1;
  int64_t inner = 1;
};

/// A layout for reduced axes that are neighbours (apart from axes of size 1); otherwise x becomes a copy with the
/// reduced axes at the end.
ReduceLayout reduce_layout(Tensor& x, const std::vector<int>& axes);
ReduceLayout reduce_layout(const Tensor& x, int axis);

}  // namespace wende
