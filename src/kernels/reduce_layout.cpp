#include "kernels/reduce_layout.h"

namespace wende {

ReduceLayout reduce_layout(Tensor& x, const std::vector<int>& axes) {
  uint32_t reduced = 0;
  for (const int axis : axes) reduced |= 1u << (axis < 0 ? axis + x.rank() : axis);
  ReduceLayout layout;
  bool ordered = true;
  std::vector<int> kept_first;
  std::vector<int> moved;
  for (int i = 0; i < x.rank(); ++i) {
    const bool gone = (reduced >> i & 1u) != 0;
    (gone ? moved : kept_first).push_back(i);
    if (x.dim(i) == 1) continue;
    if (gone) {
      ordered = ordered && layout.inner == 1;
      layout.count *= x.dim(i);
    } else {
      (layout.count == 1 ? layout.outer : layout.inner) *= x.dim(i);
    }
  }
  if (ordered) return layout;
  kept_first.insert(kept_first.end(), moved.begin(), moved.end());
  x = x.permuted(kept_first).clone();
  return {layout.outer * layout.inner, layout.count, 1};
}

ReduceLayout reduce_layout(const Tensor& x, int axis) {
  ReduceLayout layout;
  for (int i = 0; i < x.rank(); ++i) {
    (i < axis ? layout.outer : i == axis ? layout.count : layout.inner) *= x.dim(i);
  }
  return layout;
}

}  // namespace wende
