#pragma once

#include <cstdint>

#include "kernels/pointwise.h"

namespace wende {

/// What an element-wise op computes of its operands' elements, for kernels that do several at once.
struct PointwiseFunction {
  enum class Kind : int8_t {
    kUnary,          ///< f(a)
    kUnaryGradient,  ///< a * f'(b)
    kBinary,         ///< f(a, b)
  };
  Kind kind = Kind::kUnary;
  int8_t function = 0;  ///< a Unary or a Binary

  static PointwiseFunction of(Unary f) { return {Kind::kUnary, static_cast<int8_t>(f)}; }
  static PointwiseFunction gradient_of(Unary f) { return {Kind::kUnaryGradient, static_cast<int8_t>(f)}; }
  static PointwiseFunction of(Binary f) { return {Kind::kBinary, static_cast<int8_t>(f)}; }
  bool operator==(const PointwiseFunction&) const = default;
};

}  // namespace wende
