#pragma once

#include "kernels/vector_math.h"

namespace wende::ctc {

/// Stands for log 0: finite, so that differences never become NaN; sums of many stay far below any real score.
constexpr double kLogZero = -1e30;
constexpr double kNoPathBelow = -1e29;

/// log(e^a + e^b + e^c). The exponentials are floats: their relative error of 1e-7 is an absolute one of the result.
WENDE_HD inline double log_sum_exp(double a, double b, double c) {
  const double of_two = a > b ? a : b;
  const double most = of_two > c ? of_two : c;
  const float sum = vm::exp(static_cast<float>(a - most)) + vm::exp(static_cast<float>(b - most)) +
                    vm::exp(static_cast<float>(c - most));
  return most + static_cast<double>(vm::log(sum));
}

}  // namespace wende::ctc
