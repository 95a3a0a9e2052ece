#include "layers/composed_functions.h"

#include <cmath>
#include <map>

#include "ops/complex.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

using ops::Binary;
using ops::Unary;
using UnaryFunction = Expr (*)(Expr);

Expr number(Expr x, double value) { return ops::constant(*x.graph, value, x.dtype()); }

Expr sinh(Expr x) {
  return ops::scale(ops::sub(ops::unary(Unary::kExpm1, x), ops::unary(Unary::kExpm1, ops::scale(x, -1.0))), 0.5);
}

Expr cosh(Expr x) {
  return ops::scale(ops::add(ops::unary(Unary::kExp, x), ops::unary(Unary::kExp, ops::scale(x, -1.0))), 0.5);
}

Expr tan(Expr x) { return ops::div(ops::unary(Unary::kSin, x), ops::unary(Unary::kCos, x)); }

/// s log(1 + a + a^2 / (1 + sqrt(1 + a^2))) with a = s x >= 0: exact near 0, and its derivative at 0 is 1.
Expr asinh(Expr x) {
  const Expr sign = ops::where(ops::binary(Binary::kLess, x, number(x, 0.0)), number(x, -1.0), number(x, 1.0));
  const Expr a = ops::mul(x, sign);
  const Expr square = ops::mul(a, a);
  const Expr root = ops::unary(Unary::kSqrt, ops::add_scalar(square, 1.0));
  const Expr sum = ops::add(a, ops::div(square, ops::add_scalar(root, 1.0)));
  return ops::mul(sign, ops::unary(Unary::kLog1p, sum));
}

Expr acosh(Expr x) {
  const Expr inner = ops::mul(ops::add_scalar(x, -1.0), ops::add_scalar(x, 1.0));
  return ops::unary(Unary::kLog, ops::add(x, ops::unary(Unary::kSqrt, inner)));
}

Expr atanh(Expr x) {
  return ops::scale(ops::sub(ops::unary(Unary::kLog1p, x), ops::unary(Unary::kLog1p, ops::scale(x, -1.0))), 0.5);
}

/// The inverse of the normal distribution's cumulative probability.
Expr ndtri(Expr p) {
  return ops::scale(ops::unary(Unary::kErfinv, ops::add_scalar(ops::scale(p, 2.0), -1.0)), std::sqrt(2.0));
}

Expr erfcinv(Expr x) { return ops::unary(Unary::kErfinv, ops::sub(number(x, 1.0), x)); }

Expr growing(Unary scaled, Expr x) {
  return ops::mul(ops::unary(scaled, x), ops::unary(Unary::kExp, ops::unary(Unary::kAbs, x)));
}

Expr bessel_i0(Expr x) { return growing(Unary::kBesselI0e, x); }
Expr bessel_i1(Expr x) { return growing(Unary::kBesselI1e, x); }

/// The value of `changed`, with the gradient of x.
Expr with_gradient_of(Expr x, Expr changed) { return ops::add(x, ops::stop_gradient(ops::sub(changed, x))); }

/// exp of x clipped to +-log(1e20), with the gradient as if nothing were clipped.
Expr safe_exp(Expr x) {
  const double limit = std::log(1e20);
  const Expr clipped =
      ops::binary(Binary::kMaximum, ops::binary(Binary::kMinimum, x, number(x, limit)), number(x, -limit));
  const Expr y = ops::unary(Unary::kExp, ops::stop_gradient(clipped));
  // y * (1 + x - x): its value is y, its derivative too.
  return ops::mul(y, ops::add_scalar(ops::sub(x, ops::stop_gradient(x)), 1.0));
}

/// x + 1, below 0 exp(x).
Expr lin_exp(Expr x) {
  const Expr below = ops::binary(Binary::kLess, x, number(x, 0.0));
  return ops::where(below, safe_exp(ops::binary(Binary::kMinimum, x, number(x, 0.0))), ops::add_scalar(x, 1.0));
}

Expr is_not_zero(Expr x) { return ops::binary(Binary::kNotEqual, x, number(x, 0.0)); }
/// x where the condition holds, else a number that leaves what is computed from it finite.
Expr only(Expr condition, Expr x, double other) { return ops::where(condition, x, number(x, other)); }

Expr reciprocal_no_nan(Expr x) {
  const Expr counts = is_not_zero(x);
  return only(counts, ops::unary(Unary::kReciprocal, only(counts, x, 1.0)), 0.0);
}

Expr is_nan(Expr x) { return ops::binary(Binary::kNotEqual, x, x); }
Expr is_inf(Expr x) {
  return ops::binary(Binary::kLogicalAnd, ops::binary(Binary::kEqual, x, x),
                     ops::unary(Unary::kLogicalNot, ops::unary(Unary::kIsFinite, x)));
}

/// Of a real number 0 or pi.
Expr angle(Expr x) {
  if (ops::is_complex(x)) {
    return ops::angle(x);
  }
  return ops::where(ops::binary(Binary::kLess, x, number(x, 0.0)), number(x, M_PI), number(x, 0.0));
}

/// Hendrycks and Gimpel's fast approximation of gelu.
Expr gelu2(Expr x) { return ops::mul(x, ops::unary(Unary::kSigmoid, ops::scale(x, 1.702))); }

/// RETURNN's own gelu, which eval strings call: the tanh approximation.
Expr gelu_tanh(Expr x) {
  const Expr cube = ops::mul(ops::mul(x, x), x);
  const Expr inner = ops::scale(ops::add(x, ops::scale(cube, 0.044715)), std::sqrt(2.0 / M_PI));
  return ops::mul(ops::scale(x, 0.5), ops::add_scalar(ops::unary(Unary::kTanh, inner), 1.0));
}

const std::map<std::string, UnaryFunction>& unary_functions() {
  static const std::map<std::string, UnaryFunction> table{
      {"sinh", sinh},           {"cosh", cosh},           {"tan", tan},
      {"asinh", asinh},         {"acosh", acosh},         {"atanh", atanh},
      {"gelu2", gelu2},         {"gelu_tanh", gelu_tanh}, {"ndtri", ndtri},
      {"erfcinv", erfcinv},     {"bessel_i0", bessel_i0}, {"bessel_i1", bessel_i1},
      {"safe_exp", safe_exp},   {"lin_exp", lin_exp},     {"reciprocal_no_nan", reciprocal_no_nan},
      {"is_nan", is_nan},       {"is_inf", is_inf},       {"real", ops::real},
      {"conj", ops::conjugate}, {"imag", ops::imaginary}, {"angle", angle}};
  return table;
}

using BinaryFunction = Expr (*)(Expr, Expr);

Expr logaddexp(Expr a, Expr b) {
  const Expr distance = ops::unary(Unary::kAbs, ops::sub(a, b));
  const Expr rest = ops::unary(Unary::kLog1p, ops::unary(Unary::kExp, ops::scale(distance, -1.0)));
  return ops::add(ops::binary(Binary::kMaximum, a, b), rest);
}

/// a log b, and 0 for a = 0 whatever b is.
Expr xlogy(Expr a, Expr b) {
  return ops::mul(a, ops::unary(Unary::kLog, ops::where(is_not_zero(a), b, number(b, 1.0))));
}
Expr xlog1py(Expr a, Expr b) {
  return ops::mul(a, ops::unary(Unary::kLog1p, ops::where(is_not_zero(a), b, number(b, 0.0))));
}
/// a / b, and 0 for a = 0 whatever b is.
Expr xdivy(Expr a, Expr b) {
  const Expr counts = is_not_zero(a);
  return ops::div(only(counts, a, 0.0), ops::where(counts, b, number(b, 1.0)));
}

/// a / b, and 0 for b = 0.
Expr divide_no_nan(Expr a, Expr b) {
  const Expr counts = is_not_zero(b);
  return ops::div(ops::where(counts, a, number(a, 0.0)), only(counts, b, 1.0));
}

/// a b, and 0 for b = 0, also where a is infinite or NaN.
Expr multiply_no_nan(Expr a, Expr b) {
  const Expr finite = only(ops::unary(Unary::kIsFinite, a), a, 0.0);
  return ops::mul(ops::where(is_not_zero(b), a, finite), b);
}

/// The n-th derivative of digamma: (-1)^(n+1) n! zeta(n + 1, x).
Expr polygamma(Expr n, Expr x) {
  n = ops::stop_gradient(n);
  const Expr is_zero = ops::binary(Binary::kEqual, n, number(n, 0.0));
  const Expr order = ops::where(is_zero, number(n, 2.0), ops::add_scalar(n, 1.0));
  const Expr even = ops::binary(Binary::kEqual, ops::binary(Binary::kMod, order, number(n, 2.0)), number(n, 0.0));
  const Expr sign = ops::where(even, number(n, 1.0), number(n, -1.0));
  const Expr factor = ops::mul(sign, ops::unary(Unary::kExp, ops::unary(Unary::kLgamma, order)));
  const Expr higher = ops::mul(factor, ops::binary(Binary::kZeta, order, x));
  return ops::where(is_zero, ops::unary(Unary::kDigamma, x), higher);
}

Expr truncatediv(Expr a, Expr b) { return ops::unary(Unary::kTrunc, ops::div(a, b)); }
/// The remainder that has the sign of a.
Expr truncatemod(Expr a, Expr b) { return ops::sub(a, ops::mul(ops::stop_gradient(truncatediv(a, b)), b)); }
Expr hypot(Expr a, Expr b) { return ops::unary(Unary::kSqrt, ops::add(ops::mul(a, a), ops::mul(b, b))); }
Expr maximum_of_all(Expr a, Expr b) { return with_gradient_of(a, ops::binary(Binary::kMaximum, a, b)); }
Expr minimum_of_all(Expr a, Expr b) { return with_gradient_of(a, ops::binary(Binary::kMinimum, a, b)); }

const std::map<std::string, BinaryFunction>& binary_functions() {
  static const std::map<std::string, BinaryFunction> table{{"logaddexp", logaddexp},
                                                           {"xlogy", xlogy},
                                                           {"xlog1py", xlog1py},
                                                           {"xdivy", xdivy},
                                                           {"divide_no_nan", divide_no_nan},
                                                           {"div_no_nan", divide_no_nan},
                                                           {"multiply_no_nan", multiply_no_nan},
                                                           {"polygamma", polygamma},
                                                           {"truncatediv", truncatediv},
                                                           {"truncatemod", truncatemod},
                                                           {"fmod", truncatemod},
                                                           {"hypot", hypot},
                                                           {"maximum_with_identity_grad", maximum_of_all},
                                                           {"minimum_with_identity_grad", minimum_of_all}};
  return table;
}

}  // namespace

Expr composed_unary(const std::string& name, Expr x) {
  const auto it = unary_functions().find(name);
  return it == unary_functions().end() ? Expr{} : it->second(x);
}

std::vector<std::string> composed_unary_names() {
  std::vector<std::string> names;
  for (const auto& [name, function] : unary_functions()) {
    names.push_back(name);
  }
  return names;
}

bool is_composed_binary(const std::string& name) { return binary_functions().count(name) > 0; }

Expr composed_binary(const std::string& name, Expr a, Expr b) {
  const auto it = binary_functions().find(name);
  return it == binary_functions().end() ? Expr{} : it->second(a, b);
}

}  // namespace wende
