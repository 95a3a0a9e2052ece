#pragma once

#include <cstdint>
#include <string>

#include "graph/graph.h"

namespace wende::ops {

/// x itself; each run logs `text`, the shape, and the first `count` elements.
Expr print(Expr x, const std::string& text, int64_t count);

}  // namespace wende::ops
