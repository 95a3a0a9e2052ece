#pragma once

#include <cmath>

#include "device/host_device.h"
#include "kernels/vector_math.h"

/// Every formula once, for both compilers: value(x), and derivative(v) with v = x or, if kFromOutput, v = value(x).
/// Functions without derivative() have none (gradients stop there).
namespace wende::functors {

struct Neg {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return -x;
  }
  template <class T>
  WENDE_HD static T derivative(T) {
    return T(-1);
  }
};
struct Abs {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return x < T(0) ? -x : x;
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(x > T(0)) - T(x < T(0));
  }
};
struct Sign {
  template <class T>
  WENDE_HD static T value(T x) {
    return T(x > T(0)) - T(x < T(0));
  }
};
struct Square {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return x * x;
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return x + x;
  }
};
struct Sqrt {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::sqrt(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return T(0.5) / y;
  }
};
struct Rsqrt {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return T(1) / std::sqrt(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return T(-0.5) * y * y * y;
  }
};
struct Reciprocal {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return T(1) / x;
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return -y * y;
  }
};
struct Exp {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::exp(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y;
  }
};
struct Log {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::log(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(1) / x;
  }
};
struct Log1p {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::log1p(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(1) / (T(1) + x);
  }
};
struct Expm1 {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::expm1(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y + T(1);
  }
};
struct Sin {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::sin(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return std::cos(x);
  }
};
struct Cos {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return std::cos(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return -std::sin(x);
  }
};
struct Tanh {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::tanh(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return T(1) - y * y;
  }
};
struct Sigmoid {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::sigmoid(x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y * (T(1) - y);
  }
};
struct Relu {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return x < T(0) ? T(0) : x;
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y > T(0) ? T(1) : T(0);
  }
};
struct Relu6 {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return x < T(0) ? T(0) : (x > T(6) ? T(6) : x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return T(y > T(0)) * T(y < T(6));
  }
};
struct LeakyRelu {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return x > T(0) ? x : T(0.2) * x;
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y > T(0) ? T(1) : T(0.2);
  }
};
struct Elu {
  static constexpr bool kFromOutput = true;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::select(x < T(0), vm::expm1(x), x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y < T(0) ? y + T(1) : T(1);
  }
};
struct Selu {
  static constexpr bool kFromOutput = true;
  static constexpr double kScale = 1.0507009873554804934193349852946;
  static constexpr double kScaleAlpha = 1.7580993408473768599402175208123;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::select(x < T(0), T(kScaleAlpha) * vm::expm1(x), T(kScale) * x);
  }
  template <class T>
  WENDE_HD static T derivative(T y) {
    return y < T(0) ? y + T(kScaleAlpha) : T(kScale);
  }
};
struct Softplus {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return Relu::value(x) + vm::log1p(vm::exp(-vm::absolute(x)));
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return vm::sigmoid(x);
  }
};
struct Softsign {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return x / (T(1) + Abs::value(x));
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    const T d = T(1) + Abs::value(x);
    return T(1) / (d * d);
  }
};
/// x Phi(x), exact.
struct Gelu {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return T(0.5) * x * (T(1) + vm::erf(x * T(0.70710678118654752440)));
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    const T cdf = T(0.5) * (T(1) + vm::erf(x * T(0.70710678118654752440)));
    return cdf + x * T(0.39894228040143267794) * vm::exp(T(-0.5) * x * x);
  }
};
struct Swish {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return x * vm::sigmoid(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    const T s = vm::sigmoid(x);
    return s * (T(1) + x * (T(1) - s));
  }
};
struct LogSigmoid {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return -Softplus::value(-x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return vm::sigmoid(-x);
  }
};
/// log(max(x, 1e-20)); the gradient flows as if nothing were clipped.
struct SafeLog {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::log(vm::select(x < T(1e-20), T(1e-20), x));
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(1) / (x < T(1e-20) ? T(1e-20) : x);
  }
};
struct Erf {
  static constexpr bool kFromOutput = false;
  template <class T>
  WENDE_HD static T value(T x) {
    return vm::erf(x);
  }
  template <class T>
  WENDE_HD static T derivative(T x) {
    return T(1.12837916709551257390) * vm::exp(-x * x);
  }
};
struct Floor {
  template <class T>
  WENDE_HD static T value(T x) {
    return std::floor(x);
  }
};
struct Ceil {
  template <class T>
  WENDE_HD static T value(T x) {
    return std::ceil(x);
  }
};
/// Half to even.
struct Round {
  template <class T>
  WENDE_HD static T value(T x) {
    return std::rint(x);
  }
};

}  // namespace wende::functors
