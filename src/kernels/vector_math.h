#pragma once

#include <cmath>
#include <cstdint>

#include "device/host_device.h"

/// Elementary functions that compilers turn into vector code inside loops: no calls, no branches. Float versions are
/// polynomials good to about 2 ulp; double versions are libm's, for checks.
namespace wende::vm {

WENDE_HD inline float from_bits(int32_t bits) {
#ifdef __CUDA_ARCH__
  return __int_as_float(bits);
#else
  return __builtin_bit_cast(float, bits);
#endif
}
WENDE_HD inline int32_t to_bits(float x) {
#ifdef __CUDA_ARCH__
  return __float_as_int(x);
#else
  return __builtin_bit_cast(int32_t, x);
#endif
}

/// condition ? a : b in bit operations, which no compiler turns into a branch around the computation of a or b.
WENDE_HD inline float select(bool condition, float a, float b) {
  const int32_t mask = condition ? -1 : 0;
  return from_bits((to_bits(a) & mask) | (to_bits(b) & ~mask));
}

/// e^r - 1 - r for |r| <= ln(2)/2, divided by r^2.
WENDE_HD inline float exp_tail(float r) {
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  return p * r + 5.0000001201e-1f;
}

/// x = n ln(2) + r with |r| <= ln(2)/2 for |x| < 2^20.
struct Reduced {
  int32_t n;
  float r;
};
WENDE_HD inline Reduced reduce_by_ln2(float x) {
  // Adding 1.5 * 2^23 rounds to nearest even and leaves n in the low bits of the mantissa.
  const float magic = 12582912.0f;
  const float shifted = x * 1.44269504088896341f + magic;
  const float n = shifted - magic;
  const float r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  return {to_bits(shifted) - 0x4b400000, r};
}

/// 2^n for n in [-126, 127].
WENDE_HD inline float power_of_two(int32_t n) { return from_bits((n + 127) << 23); }

/// Results below the smallest normal number are 0: denormal numbers would cost a hundred times the time.
WENDE_HD inline float exp(float x) {
#ifdef __CUDA_ARCH__
  return ::expf(x);  // a third of the instructions, by a GPU's own power of two; within 1 ulp
#else
  // Comparisons keep NaN: it fails both and stays in t.
  const float lowest = -87.33f;
  float t = x > 89.0f ? 89.0f : x;
  t = t < lowest ? lowest : t;
  const Reduced reduced = reduce_by_ln2(t);
  const float value = exp_tail(reduced.r) * (reduced.r * reduced.r) + reduced.r + 1.0f;
  // Two factors, because 2^128 alone is infinite; the first is 0 below the range.
  const int32_t half = reduced.n >> 1;
  const int32_t in_range = x >= lowest ? -1 : 0;
  const float first = from_bits(((half + 127) << 23) & in_range);
  return value * first * power_of_two(reduced.n - half);
#endif
}

/// exp(x) - 1 without cancellation near 0.
WENDE_HD inline float expm1(float x) {
  float t = x > 89.0f ? 89.0f : x;
  t = t < -60.0f ? -60.0f : t;
  const Reduced reduced = reduce_by_ln2(t);
  const float minus_one = exp_tail(reduced.r) * (reduced.r * reduced.r) + reduced.r;
  // Halves, because 2^128 is infinite where the result is not.
  const float half_power = power_of_two(reduced.n - 1);
  const float half = half_power * minus_one + (half_power - 0.5f);
  return half + half;
}

/// ln(1 + f) + e ln 2 for 1 + f in [sqrt(1/2), sqrt(2)].
WENDE_HD inline float log_parts(float f, float e) {
  const float z = f * f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  float y = p * f * z;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * z;
  return f + y + e * 0.693359375f;
}

WENDE_HD inline float log(float x) {
  const float infinity = from_bits(0x7f800000);
  const float not_a_number = from_bits(0x7fc00000);
  const bool tiny = x < 1.17549435e-38f;
  const int32_t bits = to_bits(x * select(tiny, 8388608.0f, 1.0f));
  // Mantissa in [sqrt(1/2), sqrt(2)): the exponent changes at sqrt(1/2), not at 1.
  const int32_t exponent = (bits - 0x3f3504f3) >> 23;
  const float mantissa = from_bits(bits - (exponent << 23));
  const float value = log_parts(mantissa - 1.0f, static_cast<float>(exponent) - select(tiny, 23.0f, 0.0f));
  const float below = select(x < 0.0f, not_a_number, value);
  const float finite = select(x == 0.0f, -infinity, below);
  // Infinity and NaN stay themselves.
  return select(x < infinity, finite, x);
}

WENDE_HD inline float log1p(float x) {
  const float u = 1.0f + x;
  // First order in the rounding error of 1 + x, relative to u.
  const float error = x - (u - 1.0f);
  const float safe = select(u > 0.0f, u, 1.0f);
  const float correction = select(u < 1e30f, error / safe, 0.0f);
  return select(u == 1.0f, x, log(u) + correction);
}

WENDE_HD inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

WENDE_HD inline float absolute(float x) { return from_bits(to_bits(x) & 0x7fffffff); }
WENDE_HD inline float with_sign_of(float magnitude, float x) {
  return from_bits(to_bits(magnitude) | (to_bits(x) & static_cast<int32_t>(0x80000000u)));
}

WENDE_HD inline float tanh(float x) {
  const float a = absolute(x);
  const float big = 1.0f - 2.0f / (exp(a + a) + 1.0f);
  const float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float small = p * z * x + x;
  return select(a < 0.625f, small, with_sign_of(big, x));
}

/// An odd polynomial (Chebyshev fit) below 1, above it 1 - erfc.
WENDE_HD inline float erf(float x) {
  const float a = absolute(x);
  const float z = x * x;
  float s = -9.728328520e-6f;
  s = s * z + 1.128815018e-4f;
  s = s * z - 8.487264844e-4f;
  s = s * z + 5.221261335e-3f;
  s = s * z - 2.686551740e-2f;
  s = s * z + 1.128378411e-1f;
  s = s * z - 3.761263859e-1f;
  s = s * z + 1.128379167f;
  const float small = s * x;
  // erfc = t exp(-a^2 + q(t)), Numerical Recipes' fit (relative error below 1.2e-7).
  const float t = 1.0f / (1.0f + 0.5f * a);
  float q = 0.17087277f;
  q = q * t - 0.82215223f;
  q = q * t + 1.48851587f;
  q = q * t - 1.13520398f;
  q = q * t + 0.27886807f;
  q = q * t - 0.18628806f;
  q = q * t + 0.09678418f;
  q = q * t + 0.37409196f;
  q = q * t + 1.00002368f;
  q = q * t - 1.26551223f;
  const float big = 1.0f - t * exp(-a * a + q);
  return select(a < 1.0f, small, with_sign_of(big, x));
}

WENDE_HD inline double select(bool condition, double a, double b) { return condition ? a : b; }
WENDE_HD inline double absolute(double x) { return std::fabs(x); }
WENDE_HD inline double exp(double x) { return std::exp(x); }
WENDE_HD inline double expm1(double x) { return std::expm1(x); }
WENDE_HD inline double log(double x) { return std::log(x); }
WENDE_HD inline double log1p(double x) { return std::log1p(x); }
WENDE_HD inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }
WENDE_HD inline double tanh(double x) { return std::tanh(x); }
WENDE_HD inline double erf(double x) { return std::erf(x); }

}  // namespace wende::vm
