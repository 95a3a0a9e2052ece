#pragma once

#include <string>
#include <vector>

#include "config/value.h"
#include "graph/graph.h"

namespace wende {

/// Applies an activation by RETURNN's name ("relu", "10.0*sigmoid", None); softmax forms act on the last axis
/// (feature_axis). Throws kConfig at option's place with the closest name.
Expr apply_activation(const Value& option, Expr x, int feature_axis);
std::vector<std::string> activation_names();

}  // namespace wende
