#pragma once

#include <vector>

#include "config/value.h"
#include "dims/axes.h"
#include "layers/layer_builder.h"

namespace wende {

/// The axis description in an option: string, int, None, list or tuple of these.
AxisDescription axis_description(const Value& option);
/// The axes it selects, errors at the option's place.
std::vector<int> axes_of_option(const Data& data, const Value& option, int behavior_version);
int axis_of_option(const Data& data, const Value& option, int behavior_version);

/// Valid positions of the dynamic axis `axis` of x: bool with x's rank, size 1 on the other axes. Undefined if every
/// position is valid (static axis, or x has no batch axis).
Expr axis_mask(LayerBuilder& builder, const Data& x, int axis);

}  // namespace wende
