#pragma once

#include <vector>

#include "layers/layer_builder.h"

namespace wende {

/// The order of `rank` axes with `first` in front, in their order, then the others. Those below 0 (an axis that the
/// tensor does not have) are left out.
std::vector<int> order_with_first(int rank, const std::vector<int>& first);
/// The order with `axis` in the last place.
std::vector<int> order_with_last(int rank, int axis);
std::vector<int> inverse_order(const std::vector<int>& order);

/// permute, unless nothing moves.
Expr permute_if_needed(Expr x, const std::vector<int>& order);
/// x with its axes in this order.
LayerOutput permuted(const LayerOutput& x, const std::vector<int>& order);
/// x with `axis` in front; unchanged where that is below 0.
LayerOutput with_axis_first(const LayerOutput& x, int axis);
/// x [N] as `axis` of so many axes, size 1 on the others.
Expr along_axis(Expr x, int axis, int rank);
/// The entries of x [...,N,...] at `places` along an axis; the axes of `places` stand where it was. Places are from 0
/// to N - 1.
Expr gather_along(Expr x, int axis, Expr places);

}  // namespace wende
