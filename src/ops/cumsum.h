#pragma once

#include "graph/graph.h"

namespace wende::ops {

/// Running sum along an axis, of float or int32; reverse: from the end. Padded frames take part.
Expr cumsum(Expr x, int axis, bool reverse = false);

}  // namespace wende::ops
