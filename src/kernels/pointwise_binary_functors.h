#pragma once

#include <cmath>
#include <type_traits>

#include "device/host_device.h"
#include "kernels/special_functions.h"

/// Functions of two numbers, once for both compilers. Their gradients are graph (ops/pointwise.cpp).
namespace wende::functors {

struct Add {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return a + b;
  }
};
struct Sub {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return a - b;
  }
};
struct Mul {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return a * b;
  }
};
struct Div {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return a / b;
  }
};
/// Rounds towards minus infinity; integers: x // 0 is 0 (the caller cannot throw from inside a kernel).
struct FloorDiv {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      return std::floor(a / b);
    } else {
      if (b == 0) return 0;
      if (b == -1) return T(0) - a;
      const T quotient = a / b;
      return quotient - T((a % b != 0) && ((a < 0) != (b < 0)));
    }
  }
};
/// Has the sign of the divisor.
struct Mod {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      const T rest = std::fmod(a, b);
      return rest != T(0) && ((rest < T(0)) != (b < T(0))) ? rest + b : rest;
    } else {
      if (b == 0 || b == -1) return 0;
      const T rest = a % b;
      return rest != 0 && ((rest < 0) != (b < 0)) ? rest + b : rest;
    }
  }
};
struct Pow {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      return std::pow(a, b);
    } else {
      T result = 1;
      for (; b > 0; b >>= 1, a *= a) result *= b & 1 ? a : T(1);
      return result;
    }
  }
};
/// NaN in either operand gives NaN.
struct Maximum {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return (a >= b || a != a) ? a : b;
  }
};
struct Minimum {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return (a <= b || a != a) ? a : b;
  }
};
struct SquaredDifference {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    return (a - b) * (a - b);
  }
};
struct Atan2 {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      return std::atan2(a, b);
    } else {
      return 0;
    }
  }
};
/// zeta(a, b): the sum of (b + k)^-a.
struct Zeta {
  template <class T>
  WENDE_HD static T value(T a, T b) {
    if constexpr (std::is_floating_point_v<T>) {
      return special::zeta(a, b);
    } else {
      return 0;
    }
  }
};
struct Equal {
  template <class T>
  WENDE_HD static bool value(T a, T b) {
    return a == b;
  }
};
struct NotEqual {
  template <class T>
  WENDE_HD static bool value(T a, T b) {
    return a != b;
  }
};
struct Less {
  template <class T>
  WENDE_HD static bool value(T a, T b) {
    return a < b;
  }
};
struct LessEqual {
  template <class T>
  WENDE_HD static bool value(T a, T b) {
    return a <= b;
  }
};
struct Greater {
  template <class T>
  WENDE_HD static bool value(T a, T b) {
    return a > b;
  }
};
struct GreaterEqual {
  template <class T>
  WENDE_HD static bool value(T a, T b) {
    return a >= b;
  }
};

}  // namespace wende::functors
