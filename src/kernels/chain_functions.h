#pragma once

#include "kernels/pointwise_binary_functors.h"
#include "kernels/pointwise_function.h"
#include "kernels/pointwise_functors.h"

namespace wende::functors {

/// The members of chains as functions of two numbers.
template <class F>
struct OfOne {
  WENDE_HD static float value(float a, float) { return F::value(a); }
};
template <class F>
struct GradientOfOne {
  WENDE_HD static float value(float grad, float v) { return grad * F::derivative(v); }
};

/// Calls visit(functor) and gives true, or gives false for functions that chains leave alone: those that are rare, or
/// so slow that memory does not count. Both compilers take the list from here.
template <template <class> class Wrapped, class Visit>
WENDE_HD inline bool with_unary_of_chains(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kNeg:
      return visit(Wrapped<Neg>{}), true;
    case Unary::kAbs:
      return visit(Wrapped<Abs>{}), true;
    case Unary::kSquare:
      return visit(Wrapped<Square>{}), true;
    case Unary::kSqrt:
      return visit(Wrapped<Sqrt>{}), true;
    case Unary::kRsqrt:
      return visit(Wrapped<Rsqrt>{}), true;
    case Unary::kReciprocal:
      return visit(Wrapped<Reciprocal>{}), true;
    case Unary::kExp:
      return visit(Wrapped<Exp>{}), true;
    case Unary::kLog:
      return visit(Wrapped<Log>{}), true;
    case Unary::kTanh:
      return visit(Wrapped<Tanh>{}), true;
    case Unary::kSigmoid:
      return visit(Wrapped<Sigmoid>{}), true;
    case Unary::kRelu:
      return visit(Wrapped<Relu>{}), true;
    case Unary::kElu:
      return visit(Wrapped<Elu>{}), true;
    case Unary::kGelu:
      return visit(Wrapped<Gelu>{}), true;
    case Unary::kSwish:
      return visit(Wrapped<Swish>{}), true;
    default:
      return false;
  }
}

template <class Visit>
WENDE_HD inline bool with_binary_of_chains(Binary kind, Visit&& visit) {
  switch (kind) {
    case Binary::kAdd:
      return visit(Add{}), true;
    case Binary::kSub:
      return visit(Sub{}), true;
    case Binary::kMul:
      return visit(Mul{}), true;
    case Binary::kDiv:
      return visit(Div{}), true;
    case Binary::kMaximum:
      return visit(Maximum{}), true;
    case Binary::kMinimum:
      return visit(Minimum{}), true;
    case Binary::kSquaredDifference:
      return visit(SquaredDifference{}), true;
    default:
      return false;
  }
}

template <class Visit>
WENDE_HD inline bool with_chain_function(PointwiseFunction function, Visit&& visit) {
  switch (function.kind) {
    case PointwiseFunction::Kind::kUnary:
      return with_unary_of_chains<OfOne>(static_cast<Unary>(function.function), visit);
    case PointwiseFunction::Kind::kUnaryGradient:
      return with_unary_of_chains<GradientOfOne>(static_cast<Unary>(function.function), visit);
    default:
      return with_binary_of_chains(static_cast<Binary>(function.function), visit);
  }
}

}  // namespace wende::functors
