#pragma once

#include <string>
#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// A tensor fed each step, bound by name.
Expr input(Graph& graph, const std::string& name, DType dtype, std::vector<Dim> dims);
/// A trainable or static variable, bound by name.
Expr parameter(Graph& graph, const std::string& name, DType dtype, std::vector<Dim> dims);
/// All elements equal. Rank 0 by default, which broadcasts in pointwise ops.
Expr constant(Graph& graph, double value, DType dtype = DType::kFloat32, std::vector<Dim> dims = {});
/// An int32 scalar.
Expr int_constant(Graph& graph, int64_t value);
/// A fixed array (values in C order).
Expr constant_array(Graph& graph, const Tensor& values, std::vector<Dim> dims);
/// 0,1,2,... along a dim: int32 [dim].
Expr range(Graph& graph, const Dim& dim);

}  // namespace wende::ops
