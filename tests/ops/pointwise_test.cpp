#include "ops/pointwise.h"

#include <gtest/gtest-spi.h>

#include "base/error.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

using test::evaluate;
using test::expect_gradients;

/// d(stop(x) x) misses half of the slope.
void check_wrong_gradient() {
  expect_gradients({Shape{}},
                   [](Graph&, const std::vector<Expr>& x) { return ops::mul(ops::stop_gradient(x[0]), x[0]); });
}

TEST(FiniteDifference, FindsWrongGradients) { EXPECT_NONFATAL_FAILURE(check_wrong_gradient(), "element 0"); }

TEST(PointwiseOp, GradientsOfUnaryFunctions) {
  for (int i = 0; i <= static_cast<int>(Unary::kBesselI1e); ++i) {
    const auto kind = static_cast<Unary>(i);
    if (!cpu::has_derivative(kind)) continue;
    SCOPED_TRACE(i);
    const auto f = [&](Graph&, const std::vector<Expr>& x) { return ops::unary(kind, x[0]); };
    if (kind == Unary::kAsin || kind == Unary::kAcos || kind == Unary::kErfinv) {
      expect_gradients({{3, 4}}, f, {.epsilon = 2e-3, .low = -0.8, .high = 0.8});
      continue;
    }
    expect_gradients({{3, 4}}, f, {.epsilon = 2e-3, .low = 0.3, .high = 2.0});
    if (kind == Unary::kLgamma || kind == Unary::kDigamma) {
      expect_gradients({{3, 4}}, f, {.epsilon = 2e-3, .low = -1.7, .high = -1.3});
      continue;
    }
    const bool positive_only = kind == Unary::kSqrt || kind == Unary::kRsqrt || kind == Unary::kLog ||
                               kind == Unary::kSafeLog || kind == Unary::kReciprocal || kind == Unary::kLog1p;
    if (!positive_only) expect_gradients({{3, 4}}, f, {.epsilon = 2e-3, .low = -2.0, .high = -0.1});
  }
}

TEST(PointwiseOp, GradientsOfBinaryFunctionsWithBroadcasting) {
  const std::vector<std::vector<Shape>> operands = {{{3, 4}, {3, 4}}, {{3, 4}, {1, 4}}, {{3, 1}, {3, 4}},
                                                    {{3, 4}, {}},     {{}, {3, 4}},     {{3, 1}, {1, 4}}};
  for (const Binary kind : {Binary::kAdd, Binary::kSub, Binary::kMul, Binary::kDiv, Binary::kPow, Binary::kMaximum,
                            Binary::kMinimum, Binary::kSquaredDifference, Binary::kAtan2}) {
    SCOPED_TRACE(static_cast<int>(kind));
    for (const auto& shapes : operands) {
      expect_gradients(shapes, [&](Graph&, const std::vector<Expr>& x) { return ops::binary(kind, x[0], x[1]); },
                       {.epsilon = 1e-3, .low = 0.5, .high = 2.0});
    }
  }
}

TEST(PointwiseOp, GradientOfZetaByItsSecondArgument) {
  expect_gradients({{3, 4}},
                   [](Graph& graph, const std::vector<Expr>& x) {
                     return ops::binary(Binary::kZeta, ops::constant(graph, 2.5), x[0]);
                   },
                   {.epsilon = 1e-3, .low = 0.5, .high = 2.0});
}

/// Against the numbers of torch.special.
TEST(PointwiseOp, KnownNumbersOfSpecialFunctions) {
  const auto value = [](Unary kind, double x) {
    Graph graph;
    return *evaluate(ops::unary(kind, ops::constant(graph, x, DType::kFloat64)), {}).data<double>();
  };
  EXPECT_NEAR(value(Unary::kDigamma, 0.25), -4.2274535333762654081, 1e-12);
  EXPECT_NEAR(value(Unary::kDigamma, -2.3), 3.3173231575618232, 1e-12);
  EXPECT_NEAR(value(Unary::kErfinv, 0.5), 0.47693627620446987338, 1e-14);
  EXPECT_NEAR(value(Unary::kErfinv, -0.999999), -3.4589107372754988, 1e-9);
  EXPECT_NEAR(value(Unary::kBesselI0e, 1.0), 0.46575960759364043650, 1e-14);
  EXPECT_NEAR(value(Unary::kBesselI1e, -1.0), -0.20791041534970844887, 1e-14);
  EXPECT_NEAR(value(Unary::kBesselI0e, 30.0), 0.0731459464822373, 1e-14);
  Graph graph;
  const auto zeta = [&](double s, double q) {
    return *evaluate(ops::binary(Binary::kZeta, ops::constant(graph, s, DType::kFloat64),
                                 ops::constant(graph, q, DType::kFloat64)),
                     {})
                .data<double>();
  };
  EXPECT_NEAR(zeta(2.0, 1.0), 1.6449340668482264365, 1e-12);
  EXPECT_NEAR(zeta(3.0, 0.5), 8.4143983221171581, 1e-11);
}

TEST(PointwiseOp, WhereAndDynamicDims) {
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  Binding binding;
  binding.bind(batch, 2);
  binding.bind_lengths(time, {3, 1});
  test::expect_gradients_of_dims({{batch, time, Dim::fixed(2)}, {batch, time, Dim::fixed(1)}, {}},
                                 [](Graph&, const std::vector<Expr>& x) {
                                   const Expr positive = ops::binary(Binary::kGreater, x[0], ops::zeros_like(x[0]));
                                   return ops::where(positive, ops::mul(x[0], x[1]), ops::mul(x[1], x[2]));
                                 },
                                 {.epsilon = 1e-3, .binding = binding});
}

TEST(PointwiseOp, TiesOfMaximumGoToTheLeft) {
  Graph graph;
  const Expr a = ops::parameter(graph, "a", DType::kFloat32, {});
  const Expr b = ops::parameter(graph, "b", DType::kFloat32, {});
  for (const Binary kind : {Binary::kMaximum, Binary::kMinimum}) {
    const auto grads = gradients(ops::binary(kind, a, b), {a, b});
    const auto values = evaluate(grads, {{"a", Tensor::scalar(2)}, {"b", Tensor::scalar(2)}});
    EXPECT_EQ(*values[0].data<float>(), 1);
    EXPECT_EQ(*values[1].data<float>(), 0);
  }
}

TEST(PointwiseOp, StopGradientAndCastsToIntegers) {
  Graph graph;
  const Expr x = ops::parameter(graph, "x", DType::kFloat32, {});
  EXPECT_FALSE(gradients(ops::stop_gradient(x), {x})[0].defined());
  EXPECT_FALSE(gradients(ops::cast(ops::cast(x, DType::kInt32), DType::kFloat32), {x})[0].defined());
  const Expr y = ops::mul(ops::stop_gradient(x), x);
  EXPECT_EQ(*evaluate(gradients(y, {x})[0], {{"x", Tensor::scalar(3)}}).data<float>(), 3);
}

TEST(PointwiseOp, MistakesNameTheTypes) {
  Graph graph;
  const Expr a = ops::parameter(graph, "a", DType::kFloat32, test::fixed_dims({2, 3}));
  const Expr b = ops::parameter(graph, "b", DType::kFloat32, test::fixed_dims({2, 4}));
  const Expr i = ops::input(graph, "i", DType::kInt32, test::fixed_dims({2, 3}));
  try {
    ops::add(a, b);
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("[add]"), std::string::npos) << error.what();
  }
  EXPECT_THROW(ops::add(a, i), Error);
  EXPECT_THROW(ops::div(i, i), Error);
  EXPECT_THROW(ops::unary(Unary::kExp, i), Error);
  EXPECT_THROW(ops::where(a, a, a), Error);
}

}  // namespace
}  // namespace wende
