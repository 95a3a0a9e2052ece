#pragma once

#include <string>

#include "graph/graph.h"

namespace wende::ops {

/// x itself; a run in which the bool scalar `holds` is false ends with kMalformedInput and this message.
Expr checked(Expr x, Expr holds, const std::string& message);

}  // namespace wende::ops
