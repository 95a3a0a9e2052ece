#include "kernels/pointwise.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "base/error.h"

namespace wende {
namespace {

constexpr float kInf = std::numeric_limits<float>::infinity();

std::vector<float> computed(Unary kind, const std::vector<float>& values) {
  const Tensor x = Tensor::of(values, {static_cast<int64_t>(values.size())});
  const Tensor y = Tensor::empty(DType::kFloat32, x.shape());
  cpu::unary(kind, x, y);
  return y.to_vector<float>();
}

template <class T>
std::vector<T> computed(Binary kind, const std::vector<T>& a, const std::vector<T>& b) {
  const Shape shape{static_cast<int64_t>(a.size())};
  const Tensor y = Tensor::empty(dtype_of<T>(), shape);
  cpu::binary(kind, Tensor::of(a, shape), Tensor::of(b, shape), y);
  return y.to_vector<T>();
}

/// Largest error in units in the last place of the exact result over an evenly spaced range.
double worst_ulps(Unary kind, double low, double high, const std::function<double(double)>& exact) {
  std::vector<float> x(20001);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] = static_cast<float>(low + (high - low) * static_cast<double>(i) / 20000.0);
  const auto y = computed(kind, x);
  double worst = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double want = exact(x[i]);
    const float nearest = std::abs(static_cast<float>(want));
    const double ulp = std::max(1.2e-38, static_cast<double>(std::nextafter(nearest, kInf)) - nearest);
    worst = std::max(worst, std::abs(y[i] - want) / ulp);
  }
  return worst;
}

TEST(PointwiseKernel, PolynomialsAreAccurate) {
  EXPECT_LT(worst_ulps(Unary::kExp, -87, 88, [](double x) { return std::exp(x); }), 2.5);
  EXPECT_LT(worst_ulps(Unary::kExpm1, -20, 20, [](double x) { return std::expm1(x); }), 3.0);
  EXPECT_LT(worst_ulps(Unary::kLog, 1e-6, 10, [](double x) { return std::log(x); }), 2.5);
  EXPECT_LT(worst_ulps(Unary::kLog, 1, 1e30, [](double x) { return std::log(x); }), 2.5);
  EXPECT_LT(worst_ulps(Unary::kLog1p, -0.9, 3, [](double x) { return std::log1p(x); }), 3.5);
  EXPECT_LT(worst_ulps(Unary::kTanh, -10, 10, [](double x) { return std::tanh(x); }), 3.0);
  EXPECT_LT(worst_ulps(Unary::kSigmoid, -80, 30, [](double x) { return 1 / (1 + std::exp(-x)); }), 4.0);
  EXPECT_LT(worst_ulps(Unary::kErf, -5, 5, [](double x) { return std::erf(x); }), 4.0);
}

TEST(PointwiseKernel, LimitsAndNotANumber) {
  EXPECT_EQ(computed(Unary::kExp, {-kInf, kInf, 0, -200, 100}), (std::vector<float>{0, kInf, 1, 0, kInf}));
  EXPECT_EQ(computed(Unary::kLog, {0, kInf, 1}), (std::vector<float>{-kInf, kInf, 0}));
  EXPECT_EQ(computed(Unary::kTanh, {-kInf, kInf, 0}), (std::vector<float>{-1, 1, 0}));
  EXPECT_EQ(computed(Unary::kSigmoid, {-kInf, kInf, 0}), (std::vector<float>{0, 1, 0.5f}));
  EXPECT_EQ(computed(Unary::kExpm1, {-kInf, kInf, 0}), (std::vector<float>{-1, kInf, 0}));
  EXPECT_EQ(computed(Unary::kSoftplus, {-200, 200, -kInf, kInf}), (std::vector<float>{0, 200, 0, kInf}));
  EXPECT_TRUE(std::isnan(computed(Unary::kLog, {-1})[0]));
  for (const Unary kind : {Unary::kExp, Unary::kLog, Unary::kTanh, Unary::kSigmoid, Unary::kRelu, Unary::kExpm1,
                           Unary::kSoftplus, Unary::kErf, Unary::kGelu, Unary::kLog1p}) {
    EXPECT_TRUE(std::isnan(computed(kind, {NAN})[0])) << static_cast<int>(kind);
  }
  EXPECT_NEAR(computed(Unary::kLog, {1e-40f})[0], std::log(1e-40f), 1e-5);
  EXPECT_NEAR(computed(Unary::kSafeLog, {0})[0], -46.0517, 1e-3);
}

TEST(PointwiseKernel, TensorFlowsRoundingAndSigns) {
  EXPECT_EQ(computed(Unary::kRound, {0.5f, 1.5f, 2.5f, -0.5f, -1.5f}), (std::vector<float>{0, 2, 2, 0, -2}));
  EXPECT_EQ(computed(Unary::kSign, {-3, 0, 2}), (std::vector<float>{-1, 0, 1}));
  EXPECT_EQ(computed(Unary::kLeakyRelu, {-1, 2}), (std::vector<float>{-0.2f, 2}));
  EXPECT_EQ(computed(Unary::kRelu6, {-1, 2, 7}), (std::vector<float>{0, 2, 6}));
  EXPECT_EQ(computed<int32_t>(Binary::kFloorDiv, {7, -7, 7, -7}, {2, 2, -2, -2}), (std::vector<int32_t>{3, -4, -4, 3}));
  EXPECT_EQ(computed<int32_t>(Binary::kMod, {7, -7, 7, -7}, {3, 3, -3, -3}), (std::vector<int32_t>{1, 2, -2, -1}));
  EXPECT_EQ(computed<float>(Binary::kMod, {5.5f, -5.5f, 5.5f}, {2, 2, -2}), (std::vector<float>{1.5f, 0.5f, -0.5f}));
  EXPECT_EQ(computed<int64_t>(Binary::kPow, {2, 3, -2}, {10, 0, 3}), (std::vector<int64_t>{1024, 1, -8}));
}

TEST(PointwiseKernel, BroadcastsRowsColumnsScalarsAndPlanes) {
  const Tensor x = Tensor::of<float>({0, 1, 2, 10, 11, 12}, {2, 3});
  const Tensor y = Tensor::empty(DType::kFloat32, {2, 3});
  cpu::binary(Binary::kAdd, x, Tensor::of<float>({100, 200, 300}, {1, 3}), y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{100, 201, 302, 110, 211, 312}));
  cpu::binary(Binary::kSub, Tensor::of<float>({100, 200}, {2, 1}), x, y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{100, 99, 98, 190, 189, 188}));
  cpu::binary(Binary::kMul, x, Tensor::scalar(2), y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 2, 4, 20, 22, 24}));
  cpu::binary(Binary::kAdd, Tensor::of<float>({1, 2}, {2, 1}), Tensor::of<float>({10, 20, 30}, {1, 3}), y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{11, 21, 31, 12, 22, 32}));
  cpu::binary(Binary::kAdd, x.reshaped({3, 2}).permuted({1, 0}), x, y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 3, 13, 11, 21, 24}));
  cpu::where(Tensor::of<bool>({true, false}, {2, 1}), x, Tensor::scalar(-1), y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 1, 2, -1, -1, -1}));
  EXPECT_THROW(cpu::binary(Binary::kAdd, x, Tensor::of<float>({1, 2}, {1, 2}), y), Error);
}

TEST(PointwiseKernel, CastsAndFills) {
  const Tensor y = Tensor::empty(DType::kInt32, {3});
  cpu::cast(Tensor::of<float>({1.9f, -1.9f, 0}, {3}), y);
  EXPECT_EQ(y.to_vector<int32_t>(), (std::vector<int32_t>{1, -1, 0}));
  const Tensor b = Tensor::empty(DType::kBool, {3});
  cpu::cast(y, b);
  EXPECT_EQ(b.to_vector<bool>(), (std::vector<bool>{true, true, false}));
  cpu::fill(y, 7);
  EXPECT_EQ(y.to_vector<int32_t>(), (std::vector<int32_t>{7, 7, 7}));
  cpu::unary(Unary::kIsFinite, Tensor::of<float>({kInf, NAN, 1}, {3}), b);
  EXPECT_EQ(b.to_vector<bool>(), (std::vector<bool>{false, false, true}));
}

}  // namespace
}  // namespace wende
