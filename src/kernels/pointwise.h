#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende {

/// Element-wise functions. Formulas (value and derivative) stand in pointwise_functors.h and special_functors.h.
enum class Unary {
  kNeg,
  kAbs,
  kSign,
  kSquare,
  kSqrt,
  kRsqrt,
  kReciprocal,
  kExp,
  kLog,
  kLog1p,
  kExpm1,
  kSin,
  kCos,
  kTanh,
  kSigmoid,
  kRelu,
  kRelu6,
  kLeakyRelu,
  kElu,
  kSelu,
  kSoftplus,
  kSoftsign,
  kGelu,
  kSwish,
  kLogSigmoid,
  kSafeLog,
  kErf,
  kErfc,
  kErfinv,
  kAsin,
  kAcos,
  kAtan,
  kLgamma,
  kDigamma,
  kBesselI0e,
  kBesselI1e,
  kFloor,
  kCeil,
  kRound,
  kTrunc,
  kLogicalNot,
  kIsFinite,
};
/// Comparisons and logic give bool, the others the operands' dtype.
enum class Binary {
  kAdd,
  kSub,
  kMul,
  kDiv,
  kFloorDiv,
  kMod,
  kPow,
  kMaximum,
  kMinimum,
  kSquaredDifference,
  kAtan2,
  kZeta,
  kEqual,
  kNotEqual,
  kLess,
  kLessEqual,
  kGreater,
  kGreaterEqual,
  kLogicalAnd,
  kLogicalOr,
};

}  // namespace wende

/// Operands and results: an axis of size 1 broadcasts against the result, and so does an operand of rank 0. Any
/// strides.
namespace wende::cpu {

void unary(Unary kind, const Tensor& x, const Tensor& out);
/// Whether the derivative is computed from the value instead of the argument.
bool derivative_from_output(Unary kind);
/// True for functions whose derivative is 0 almost everywhere, or that are not differentiable at all.
bool has_derivative(Unary kind);
/// out = grad * f'(v), v: argument or value (see derivative_from_output).
void unary_grad(Unary kind, const Tensor& grad, const Tensor& v, const Tensor& out);
void binary(Binary kind, const Tensor& a, const Tensor& b, const Tensor& out);
void where(const Tensor& condition, const Tensor& a, const Tensor& b, const Tensor& out);
/// Converts like C++; to bool: x != 0.
void cast(const Tensor& x, const Tensor& out);
void fill(const Tensor& out, double value);
/// 0, 1, 2, ... int32.
void range(const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(unary)
WENDE_CUDA_KERNEL(unary_grad)
WENDE_CUDA_KERNEL(binary)
WENDE_CUDA_KERNEL(where)
WENDE_CUDA_KERNEL(cast)
WENDE_CUDA_KERNEL(fill)
WENDE_CUDA_KERNEL(range)
