#pragma once

#include <cmath>

#include "kernels/special_functions.h"

/// Inverse trigonometric and special functions of one number; the form is that of pointwise_functors.h.
namespace wende::functors {

struct Asin {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::asin(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(1) / std::sqrt(T(1) - x * x);
  }
};
struct Acos {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::acos(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(-1) / std::sqrt(T(1) - x * x);
  }
};
struct Atan {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::atan(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(1) / (T(1) + x * x);
  }
};
struct Erfc {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::erfc(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(-1.12837916709551257390) * std::exp(-x * x);
  }
};
struct Erfinv {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return special::erfinv(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return T(0.88622692545275801365) * std::exp(y * y);
  }
};
struct Lgamma {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::lgamma(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return special::digamma(x);
  }
};
struct Digamma {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return special::digamma(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return special::trigamma(x);
  }
};
struct BesselI0e {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return special::bessel_ie<0>(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    const T sign = T(x > T(0)) - T(x < T(0));
    return special::bessel_ie<1>(x) - sign * special::bessel_ie<0>(x);
  }
};
struct BesselI1e {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return special::bessel_ie<1>(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    if (x == T(0)) return T(0.5);
    const T sign = T(x > T(0)) - T(x < T(0));
    return special::bessel_ie<0>(x) - special::bessel_ie<1>(x) * (sign + T(1) / x);
  }
};
/// Towards zero.
struct Trunc {
  template <class T>
  WENDE_HD static T value(T x) {
    return std::trunc(x);
  }
};

}  // namespace wende::functors
