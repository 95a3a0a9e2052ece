#include "layers/composed_functions.h"

#include <map>

#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

using ops::Binary;
using ops::Unary;
using UnaryFunction = Expr (*)(Expr);

constexpr double kPi = 3.14159265358979323846;

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

/// x > 0: six steps of psi(x) = psi(x + 1) - 1/x, then log z - 1/(2z) - 1/(12z^2) + 1/(120z^4) - ...
Expr positive_digamma(Expr x) {
  Expr steps = ops::unary(Unary::kReciprocal, x);
  for (int i = 1; i < 6; ++i) {
    steps = ops::add(steps, ops::unary(Unary::kReciprocal, ops::add_scalar(x, i)));
  }
  const Expr z = ops::add_scalar(x, 6.0);
  const Expr inverse = ops::unary(Unary::kReciprocal, z);
  const Expr square = ops::mul(inverse, inverse);
  Expr series = number(x, 1.0 / 240.0);
  for (const double factor : {-1.0 / 252.0, 1.0 / 120.0, -1.0 / 12.0}) {
    series = ops::add_scalar(ops::mul(series, square), factor);
  }
  const Expr tail = ops::mul(series, square);
  return ops::sub(ops::add(ops::sub(ops::unary(Unary::kLog, z), ops::scale(inverse, 0.5)), tail), steps);
}

/// Below 0 by reflection: psi(1 - x) - pi / tan(pi x).
Expr digamma(Expr x) {
  const Expr below = ops::binary(Binary::kLess, x, number(x, 0.0));
  const Expr reflected = positive_digamma(ops::where(below, ops::sub(number(x, 1.0), x), x));
  const Expr angle = ops::scale(ops::where(below, x, number(x, 0.5)), kPi);
  const Expr cotangent = ops::div(ops::unary(Unary::kCos, angle), ops::unary(Unary::kSin, angle));
  return ops::sub(reflected, ops::where(below, ops::scale(cotangent, kPi), number(x, 0.0)));
}

/// Hendrycks and Gimpel's fast approximation of gelu.
Expr gelu2(Expr x) { return ops::mul(x, ops::unary(Unary::kSigmoid, ops::scale(x, 1.702))); }

const std::map<std::string, UnaryFunction>& unary_functions() {
  static const std::map<std::string, UnaryFunction> table{{"sinh", sinh},   {"cosh", cosh},      {"tan", tan},
                                                          {"asinh", asinh}, {"acosh", acosh},    {"atanh", atanh},
                                                          {"gelu2", gelu2}, {"digamma", digamma}};
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

Expr composed_binary(const std::string& name, Expr a, Expr b) {
  if (name != "logaddexp") {
    return {};
  }
  const Expr distance = ops::unary(Unary::kAbs, ops::sub(a, b));
  const Expr rest = ops::unary(Unary::kLog1p, ops::unary(Unary::kExp, ops::scale(distance, -1.0)));
  return ops::add(ops::binary(Binary::kMaximum, a, b), rest);
}

}  // namespace wende
