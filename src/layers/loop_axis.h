#pragma once

#include "config/value.h"
#include "dims/data.h"
#include "layers/layer.h"

namespace wende {

/// Whether the option `axis` ("T", or None) of a layer in a loop means the loop's own axis: its input, one step, has no
/// time axis.
bool is_loop_axis(const Value& axis, const Data& x, const LayerContext& context);

}  // namespace wende
