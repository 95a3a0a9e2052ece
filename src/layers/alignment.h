#pragma once

#include <string>
#include <vector>

#include "layers/layer_builder.h"

namespace wende {

/// For each axis of `layout` the axis of `x` that means the same, or -1: by identity, then by role (batch, time,
/// feature), then by equal size in order. Throws kConfig with both templates if an axis of x has no place.
std::vector<int> match_axes(const Data& x, const Data& layout);

/// What pointwise layers give for several sources: common_layout, where an axis of size 1 takes the other sources' dim.
/// Throws kConfig with both templates where sizes differ.
Data broadcast_layout(const std::vector<Data>& sources, const std::string& name);

/// x in `layout`'s order, with axes of size 1 where it has none.
Expr align_to(const LayerOutput& x, const Data& layout);

/// x in `layout`'s order and with its full dims.
Expr broadcast_to_layout(const LayerOutput& x, const Data& layout);

}  // namespace wende
