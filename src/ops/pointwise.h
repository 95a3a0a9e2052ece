#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"
#include "kernels/pointwise.h"

namespace wende::ops {

using wende::Binary;
using wende::Unary;

Expr unary(Unary kind, Expr x);
/// Operands of one dtype and equal rank; an axis of static size 1 broadcasts, and so does an operand of rank 0.
Expr binary(Binary kind, Expr a, Expr b);
Expr where(Expr condition, Expr a, Expr b);  ///< condition: bool; broadcasting as in binary
Expr cast(Expr x, DType dtype);              ///< no-op for the same dtype
Expr stop_gradient(Expr x);

Expr add(Expr a, Expr b);
Expr sub(Expr a, Expr b);
Expr mul(Expr a, Expr b);
Expr div(Expr a, Expr b);
Expr scale(Expr x, double factor);  ///< x * factor
Expr add_scalar(Expr x, double value);
Expr zeros_like(Expr x);

}  // namespace wende::ops
