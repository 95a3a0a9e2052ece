#pragma once

#include <string>

#include "base/error.h"
#include "kernels/pointwise.h"
#include "kernels/pointwise_binary_functors.h"
#include "kernels/pointwise_functors.h"
#include "kernels/special_functors.h"

/// From the name of a function to its functor, on both devices.
namespace wende::functors {

/// Calls visit with the functor of this activation function.
template <class Visit>
auto with_activation(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kTanh:
      return visit(Tanh{});
    case Unary::kSigmoid:
      return visit(Sigmoid{});
    case Unary::kRelu:
      return visit(Relu{});
    case Unary::kRelu6:
      return visit(Relu6{});
    case Unary::kLeakyRelu:
      return visit(LeakyRelu{});
    case Unary::kElu:
      return visit(Elu{});
    case Unary::kSelu:
      return visit(Selu{});
    case Unary::kSoftplus:
      return visit(Softplus{});
    case Unary::kSoftsign:
      return visit(Softsign{});
    case Unary::kGelu:
      return visit(Gelu{});
    case Unary::kSwish:
      return visit(Swish{});
    case Unary::kLogSigmoid:
      return visit(LogSigmoid{});
    default:
      throw internal_error("unary function " + std::to_string(static_cast<int>(kind)) + " has no formula");
  }
}

/// Calls visit with the functor of this inverse trigonometric or special function.
template <class Visit>
auto with_special(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kErfc:
      return visit(Erfc{});
    case Unary::kErfinv:
      return visit(Erfinv{});
    case Unary::kAsin:
      return visit(Asin{});
    case Unary::kAcos:
      return visit(Acos{});
    case Unary::kAtan:
      return visit(Atan{});
    case Unary::kLgamma:
      return visit(Lgamma{});
    case Unary::kDigamma:
      return visit(Digamma{});
    case Unary::kBesselI0e:
      return visit(BesselI0e{});
    case Unary::kBesselI1e:
      return visit(BesselI1e{});
    case Unary::kTrunc:
      return visit(Trunc{});
    default:
      return with_activation(kind, visit);
  }
}

/// Calls visit with the functor of this kind.
template <class Visit>
auto with_functor(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kNeg:
      return visit(Neg{});
    case Unary::kAbs:
      return visit(Abs{});
    case Unary::kSign:
      return visit(Sign{});
    case Unary::kSquare:
      return visit(Square{});
    case Unary::kSqrt:
      return visit(Sqrt{});
    case Unary::kRsqrt:
      return visit(Rsqrt{});
    case Unary::kReciprocal:
      return visit(Reciprocal{});
    case Unary::kExp:
      return visit(Exp{});
    case Unary::kLog:
      return visit(Log{});
    case Unary::kLog1p:
      return visit(Log1p{});
    case Unary::kExpm1:
      return visit(Expm1{});
    case Unary::kSin:
      return visit(Sin{});
    case Unary::kCos:
      return visit(Cos{});
    case Unary::kSafeLog:
      return visit(SafeLog{});
    case Unary::kErf:
      return visit(Erf{});
    case Unary::kFloor:
      return visit(Floor{});
    case Unary::kCeil:
      return visit(Ceil{});
    case Unary::kRound:
      return visit(Round{});
    default:
      return with_special(kind, visit);
  }
}

template <class F>
concept Differentiable = requires(float v) {
  F::derivative(v);
};

/// The same for functions that integers have too; rounding, which leaves them as they are, is Floor.
template <class Visit>
auto with_integer_functor(Unary kind, Visit&& visit) {
  switch (kind) {
    case Unary::kNeg:
      return visit(Neg{});
    case Unary::kAbs:
      return visit(Abs{});
    case Unary::kSign:
      return visit(Sign{});
    case Unary::kSquare:
      return visit(Square{});
    case Unary::kRelu:
      return visit(Relu{});
    case Unary::kFloor:
    case Unary::kCeil:
    case Unary::kRound:
    case Unary::kTrunc:
      return visit(Floor{});
    default:
      throw internal_error("unary function " + std::to_string(static_cast<int>(kind)) + " does not take integers");
  }
}

/// Functions of two numbers; logic of bool is apart.
template <class Visit>
auto with_functor(Binary kind, Visit&& visit) {
  switch (kind) {
    case Binary::kAdd:
      return visit(Add{});
    case Binary::kSub:
      return visit(Sub{});
    case Binary::kMul:
      return visit(Mul{});
    case Binary::kDiv:
      return visit(Div{});
    case Binary::kFloorDiv:
      return visit(FloorDiv{});
    case Binary::kMod:
      return visit(Mod{});
    case Binary::kPow:
      return visit(Pow{});
    case Binary::kMaximum:
      return visit(Maximum{});
    case Binary::kMinimum:
      return visit(Minimum{});
    case Binary::kSquaredDifference:
      return visit(SquaredDifference{});
    case Binary::kAtan2:
      return visit(Atan2{});
    case Binary::kZeta:
      return visit(Zeta{});
    case Binary::kEqual:
      return visit(Equal{});
    case Binary::kNotEqual:
      return visit(NotEqual{});
    case Binary::kLess:
      return visit(Less{});
    case Binary::kLessEqual:
      return visit(LessEqual{});
    case Binary::kGreater:
      return visit(Greater{});
    case Binary::kGreaterEqual:
      return visit(GreaterEqual{});
    default:
      throw internal_error("binary function " + std::to_string(static_cast<int>(kind)) + " takes bool only");
  }
}

}  // namespace wende::functors
