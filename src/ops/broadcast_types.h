#pragma once

#include <string_view>
#include <vector>

#include "graph/op.h"

namespace wende::ops {

/// Dims of the result of a pointwise op: per axis the dim that is not of static size 1; operands of rank 0 fit
/// everything. Throws op_error with all types when two axes do not fit.
std::vector<Dim> broadcast_dims(std::string_view op, const std::vector<ExprType>& inputs);

}  // namespace wende::ops
