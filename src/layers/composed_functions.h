#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace wende {

/// TensorFlow's element-wise functions that are made of others ("sinh", "gelu2", "safe_exp", ...), and RETURNN's own,
/// on float x of any shape; undefined for other names.
Expr composed_unary(const std::string& name, Expr x);
std::vector<std::string> composed_unary_names();
bool is_composed_binary(const std::string& name);
/// The same for two float operands of one dtype ("logaddexp", "xlogy", "polygamma", ...).
Expr composed_binary(const std::string& name, Expr a, Expr b);

}  // namespace wende
