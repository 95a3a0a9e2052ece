#pragma once

#include <cmath>

#include "device/host_device.h"

/// Functions that the C++ library of a GPU lacks: series that both compilers take, good to a few ulp of T.
namespace wende::special {

constexpr double kPi = 3.14159265358979323846;

/// The Hurwitz zeta function, the sum of (q + k)^-s over k >= 0, for s > 1 and q > 0: nine terms, then Euler's and
/// Maclaurin's formula for the rest. Infinite for s = 1, NaN below.
template <class T>
WENDE_HD inline T zeta(T s, T q) {
  if (s == T(1)) return T(INFINITY);
  if (!(s > T(1)) || !(q > T(0))) return T(NAN);
  constexpr int kTerms = 9;
  T sum = 0;
  for (int k = 0; k < kTerms; ++k) sum += std::pow(q + T(k), -s);
  const T a = q + T(kTerms);
  T power = std::pow(a, -s);
  sum += power * a / (s - T(1)) + T(0.5) * power;
  // B_2j / (2j)!
  constexpr double kBernoulli[] = {1.0 / 12,       -1.0 / 720,       1.0 / 30240,
                                   -1.0 / 1209600, 1.0 / 47900160.0, -691.0 / 1307674368000.0};
  T factor = s;
  for (int j = 0; j < 6; ++j) {
    power /= a;
    sum += T(kBernoulli[j]) * factor * power;
    power /= a;
    factor *= (s + T(2 * j + 1)) * (s + T(2 * j + 2));
  }
  return sum;
}

/// The derivative of log |Gamma|: steps up to x >= 10, then its asymptotic series; below 0 by reflection.
template <class T>
WENDE_HD inline T digamma(T x) {
  T result = 0;
  if (x <= T(0)) {
    if (x == std::floor(x)) return T(NAN);
    result = -T(kPi) / std::tan(T(kPi) * (x - std::floor(x)));
    x = T(1) - x;
  }
  for (; x < T(10); x += T(1)) result -= T(1) / x;
  const T square = T(1) / (x * x);
  // B_2j / 2j
  constexpr double kBernoulli[] = {1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 1.0 / 132, -691.0 / 32760.0};
  T series = 0;
  for (int j = 5; j >= 0; --j) series = series * square + T(kBernoulli[j]);
  return result + std::log(x) - T(0.5) / x - series * square;
}

/// The derivative of digamma; below 0 by reflection.
template <class T>
WENDE_HD inline T trigamma(T x) {
  if (x > T(0)) return zeta(T(2), x);
  const T sine = std::sin(T(kPi) * (x - std::floor(x)));
  return T(kPi * kPi) / (sine * sine) - zeta(T(2), T(1) - x);
}

/// The inverse of erf: Winitzki's formula as the start of three steps of Halley's method.
template <class T>
WENDE_HD inline T erfinv(T y) {
  if (!(y > T(-1) && y < T(1))) return y == T(1) ? T(INFINITY) : y == T(-1) ? T(-INFINITY) : T(NAN);
  const T magnitude = y < T(0) ? -y : y;
  const T log_rest = std::log1p(-magnitude * magnitude);
  const T a = T(0.147);
  const T half = T(2) / (T(kPi) * a) + T(0.5) * log_rest;
  T x = std::sqrt(std::sqrt(half * half - log_rest / a) - half);
  for (int i = 0; i < 3; ++i) {
    // Near 1 the error is taken from erfc, which keeps its digits there.
    const T error = magnitude > T(0.5) ? (T(1) - magnitude) - std::erfc(x) : std::erf(x) - magnitude;
    const T step = error / (T(1.12837916709551257390) * std::exp(-x * x));
    x -= step / (T(1) + x * step);
  }
  return y < T(0) ? -x : x;
}

/// e^-|x| times the modified Bessel function of the first kind, of order 0 or 1: its power series, whose terms are all
/// positive, and from 20 on its asymptotic one.
template <int kOrder, class T>
WENDE_HD inline T bessel_ie(T x) {
  const T magnitude = x < T(0) ? -x : x;
  T sum = 1;
  T term = 1;
  if (magnitude < T(20)) {
    const T quarter = magnitude * magnitude / T(4);
    for (int k = 1; k < 60; ++k) {
      term *= quarter / (T(k) * T(k + kOrder));
      sum += term;
    }
    sum *= std::exp(-magnitude) * (kOrder == 0 ? T(1) : magnitude / T(2));
  } else {
    for (int k = 1; k < 20; ++k) {
      const T odd = T(2 * k - 1);
      term *= (odd * odd - T(4 * kOrder)) / (T(8 * k) * magnitude);
      sum += term;
    }
    sum /= std::sqrt(T(2 * kPi) * magnitude);
  }
  return kOrder == 1 && x < T(0) ? -sum : sum;
}

}  // namespace wende::special
