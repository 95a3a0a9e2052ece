#include "layers/axis_order.h"

#include <algorithm>

#include "ops/gather.h"
#include "ops/shape.h"

namespace wende {

std::vector<int> order_with_first(int rank, const std::vector<int>& first) {
  std::vector<int> order;
  std::copy_if(first.begin(), first.end(), std::back_inserter(order), [](int axis) { return axis >= 0; });
  for (int axis = 0; axis < rank; ++axis) {
    if (std::find(first.begin(), first.end(), axis) == first.end()) {
      order.push_back(axis);
    }
  }
  return order;
}

std::vector<int> order_with_last(int rank, int axis) {
  std::vector<int> order;
  for (int i = 0; i < rank; ++i) {
    if (i != axis) {
      order.push_back(i);
    }
  }
  order.push_back(axis);
  return order;
}

std::vector<int> inverse_order(const std::vector<int>& order) {
  std::vector<int> inverse(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    inverse[static_cast<size_t>(order[i])] = static_cast<int>(i);
  }
  return inverse;
}

Expr permute_if_needed(Expr x, const std::vector<int>& order) {
  return std::is_sorted(order.begin(), order.end()) ? x : ops::permute(x, order);
}

LayerOutput permuted(const LayerOutput& x, const std::vector<int>& order) {
  return {x.data.permuted(order), permute_if_needed(x.expr, order)};
}

LayerOutput with_axis_first(const LayerOutput& x, int axis) {
  return permuted(x, order_with_first(x.data.rank(), {axis}));
}

Expr along_axis(Expr x, int axis, int rank) {
  for (int i = 0; i < rank; ++i) {
    x = i == axis ? x : ops::expand_dims(x, i);
  }
  return x;
}

Expr gather_along(Expr x, int axis, Expr places) {
  const Expr picked = ops::gather(permute_if_needed(x, order_with_first(x.rank(), {axis})), places);
  std::vector<int> front;
  for (int i = 0; i < places.rank(); ++i) {
    front.push_back(axis + i);
  }
  return permute_if_needed(picked, inverse_order(order_with_first(picked.rank(), front)));
}

}  // namespace wende
