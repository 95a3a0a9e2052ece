#pragma once

#include <string>
#include <string_view>

#include "graph/graph.h"

namespace wende::ops {

/// Element-wise functions. Formulas (value and derivative) stand in kernels/pointwise_functors.h.
enum class Unary {
  kNeg, kAbs, kSign, kSquare, kSqrt, kRsqrt, kReciprocal, kExp, kLog, kLog1p, kExpm1,
  kSin, kCos, kTanh, kSigmoid, kRelu, kRelu6, kLeakyRelu, kElu, kSelu, kSoftplus, kSoftsign, kGelu, kSwish,
  kLogSigmoid, kSafeLog, kErf, kFloor, kCeil, kRound, kLogicalNot, kIsFinite,
};
/// Comparisons and logic give bool, the others the operands' dtype.
enum class Binary {
  kAdd, kSub, kMul, kDiv, kFloorDiv, kMod, kPow, kMaximum, kMinimum, kSquaredDifference,
  kEqual, kNotEqual, kLess, kLessEqual, kGreater, kGreaterEqual, kLogicalAnd, kLogicalOr,
};

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
