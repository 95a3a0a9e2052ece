#include "ops/complex.h"

#include <cstring>

#include "base/error.h"
#include "ops/finite_difference.h"
#include "ops/gather.h"
#include "ops/shape.h"

namespace wende {
namespace {

using test::evaluate;
using test::expect_gradients;
using test::fixed_dims;
using Args = std::vector<Expr>;

Expr array(Graph& graph, const std::vector<float>& values) {
  const Shape shape{static_cast<int64_t>(values.size())};
  return ops::constant_array(graph, Tensor::of(values, shape), fixed_dims(shape));
}

/// 3 + 4i and -1 - 2i
Expr numbers(Graph& graph) { return ops::complex(array(graph, {3, -1}), array(graph, {4, -2})); }

std::vector<float> parts(Expr z) {
  std::vector<float> values = evaluate(ops::real(z)).to_vector<float>();
  const std::vector<float> imaginary = evaluate(ops::imaginary(z)).to_vector<float>();
  values.insert(values.end(), imaginary.begin(), imaginary.end());
  return values;
}

TEST(Complex, TensorHasThePartsInTurn) {
  Graph graph;
  const Tensor z = evaluate(numbers(graph));
  ASSERT_EQ(z.dtype(), DType::kComplex64);
  ASSERT_EQ(z.shape(), (Shape{2}));
  std::vector<float> values(4);
  std::memcpy(values.data(), z.raw(), z.bytes());
  EXPECT_EQ(values, (std::vector<float>{3, 4, -1, -2}));
}

TEST(Complex, KnownNumbers) {
  Graph graph;
  const Expr z = numbers(graph);
  const Expr w = ops::complex(array(graph, {0, 2}), array(graph, {1, 0}));
  EXPECT_EQ(evaluate(ops::magnitude(z)).to_vector<float>()[0], 5);
  EXPECT_NEAR(evaluate(ops::angle(z)).to_vector<float>()[1], std::atan2(-2.0, -1.0), 1e-6);
  EXPECT_EQ(parts(ops::mul(z, w)), (std::vector<float>{-4, -2, 3, -4}));
  EXPECT_EQ(parts(ops::div(z, w)), (std::vector<float>{4, -0.5, -3, -1}));
  EXPECT_EQ(parts(ops::sub(z, w)), (std::vector<float>{3, -3, 3, -2}));
  EXPECT_EQ(parts(ops::unary(Unary::kSquare, z)), (std::vector<float>{-7, -3, 24, 4}));
  EXPECT_EQ(parts(ops::conjugate(z)), (std::vector<float>{3, -1, -4, 2}));
  EXPECT_EQ(parts(ops::scale(z, 2)), (std::vector<float>{6, -2, 8, -4}));
  EXPECT_EQ(parts(ops::reduce(Reduction::kMean, z, {0})), (std::vector<float>{1, 1}));
  EXPECT_EQ(parts(ops::concat({z, w}, 0, Dim::fixed(4))), (std::vector<float>{3, -1, 0, 2, 4, -2, 1, 0}));
  EXPECT_EQ(parts(ops::pad(z, 0, 1, 0, 7, Dim::fixed(3))), (std::vector<float>{7, 3, -1, 0, 4, -2}));
  EXPECT_EQ(parts(ops::slice(z, 0, 1, 2, 1, Dim::fixed(1))), (std::vector<float>{-1, -2}));
  const std::vector<float> turned = parts(ops::unary(Unary::kExp, ops::complex(array(graph, {0}), array(graph, {1}))));
  EXPECT_NEAR(turned[0], std::cos(1.0), 1e-6);
  EXPECT_NEAR(turned[1], std::sin(1.0), 1e-6);
}

TEST(Complex, ZeroHasGradientZero) {
  Graph graph;
  const Expr x = ops::parameter(graph, "x", DType::kFloat32, fixed_dims({1}));
  const Expr z = ops::complex(x, ops::zeros_like(x));
  for (const Expr& y : {ops::magnitude(z), ops::angle(z)}) {
    const std::vector<Expr> grads = gradients(ops::sum_all(y), {x});
    ASSERT_TRUE(grads[0].defined());
    EXPECT_EQ(evaluate({y, grads[0]}, {{"x", Tensor::of<float>({0}, {1})}})[1].to_vector<float>(),
              std::vector<float>{0});
  }
}

TEST(Complex, Gradients) {
  const auto shapes = std::vector<Shape>{{2, 3}, {2, 3}, {2, 3}, {2, 3}};
  expect_gradients(shapes, [](Graph&, const Args& a) {
    const Expr product = ops::mul(ops::complex(a[0], a[1]), ops::complex(a[2], a[3]));
    return ops::add(ops::real(product), ops::scale(ops::imaginary(product), 0.5));
  });
  test::FiniteDifferenceOptions away_from_zero;
  away_from_zero.low = 0.5;
  away_from_zero.high = 1.5;
  expect_gradients(
      shapes,
      [](Graph&, const Args& a) {
        const Expr quotient = ops::div(ops::complex(a[0], a[1]), ops::complex(a[2], a[3]));
        return ops::add(ops::magnitude(quotient), ops::angle(quotient));
      },
      away_from_zero);
}

TEST(Complex, WhatHasNoMeaningIsRefused) {
  Graph graph;
  const Expr z = numbers(graph);
  EXPECT_THROW(ops::unary(Unary::kTanh, z), Error);
  EXPECT_THROW(ops::binary(Binary::kLess, z, z), Error);
  EXPECT_THROW(ops::add(z, array(graph, {1, 2})), Error);
  EXPECT_THROW(ops::reduce(Reduction::kMax, z, {0}), Error);
  EXPECT_THROW(ops::cast(z, DType::kInt32), Error);
  const Expr index = ops::cast(array(graph, {1}), DType::kInt32);
  try {
    ops::real(ops::gather(z, index));
    FAIL() << "the parts of gathered numbers are known";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("gather"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wende
