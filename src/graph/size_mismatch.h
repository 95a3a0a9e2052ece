#pragma once

#include <string>

#include "graph/graph.h"

namespace wende {

/// What to say where values of shape `given` cannot take shape `wanted`, which the node (a reshape of its first input)
/// says: the two lengths that were taken for the same, by name, or the two shapes.
std::string size_mismatch(const Node& node, const Shape& given, const Shape& wanted);

}  // namespace wende
