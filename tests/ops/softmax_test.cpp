#include "ops/softmax.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/error.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

TEST(Softmax, ValuesAndLargeInputs) {
  Graph graph;
  const Expr x = ops::input(graph, "x", DType::kFloat32, {Dim::fixed(2), Dim::fixed(3)});
  const float minus_infinity = -std::numeric_limits<float>::infinity();
  const Tensor values = Tensor::of<float>({1000, 1001, minus_infinity, 0, 1, 2}, {2, 3});
  const auto y = test::evaluate(ops::softmax(x), {{"x", values}}).to_vector<float>();
  const std::vector<float> expected{0.26894142f, 0.73105858f, 0.0f, 0.09003057f, 0.24472847f, 0.66524096f};
  for (size_t i = 0; i < y.size(); ++i) EXPECT_NEAR(y[i], expected[i], 1e-6);
  EXPECT_EQ(y[2], 0.0f);
  const auto by_column = test::evaluate(ops::softmax(x, 0), {{"x", values}}).to_vector<float>();
  EXPECT_NEAR(by_column[0] + by_column[3], 1.0, 1e-6);
  EXPECT_EQ(by_column[5], 1.0f);
  const auto log_y = test::evaluate(ops::log_softmax(x), {{"x", values}}).to_vector<float>();
  EXPECT_NEAR(log_y[3], -2.40760596, 1e-6);
}

TEST(Softmax, Gradients) {
  for (const int axis : {0, 1, 2}) {
    test::expect_gradients({{3, 70, 2}}, [=](Graph&, const std::vector<Expr>& x) { return ops::softmax(x[0], axis); });
    test::expect_gradients({{3, 4, 5}},
                           [=](Graph&, const std::vector<Expr>& x) { return ops::log_softmax(x[0], axis); });
  }
}

/// Sums in double over a slice of x [outer,size,inner].
double log_sum_exp_of(const Tensor& x, int64_t outer, int64_t inner) {
  const float* from = x.data<float>() + outer * x.dim(1) * x.dim(2) + inner;
  double most = -std::numeric_limits<double>::infinity();
  for (int64_t i = 0; i < x.dim(1); ++i) most = std::max<double>(most, from[i * x.dim(2)]);
  double sum = 0;
  for (int64_t i = 0; i < x.dim(1); ++i) sum += std::exp(from[i * x.dim(2)] - most);
  return most + std::log(sum);
}

/// Devices divide slices among threads by their sizes: around each limit, with and without whole packs of four.
const std::vector<Shape> kSliceShapes{{9, 1, 1},     {9, 5, 1},    {17, 64, 1},  {3, 511, 1},  {2, 512, 1},
                                      {2, 513, 1},   {2, 2048, 1}, {2, 2052, 1}, {1, 8192, 1}, {2, 8193, 1},
                                      {1, 17000, 1}, {2, 3, 2},    {1, 128, 3},  {2, 129, 31}, {1, 300, 33}};

TEST(Softmax, SlicesOfAllSizes) {
  for (const Shape& shape : kSliceShapes) {
    SCOPED_TRACE("slices of " + std::to_string(shape[1]));
    Graph graph;
    const Expr x = ops::parameter(graph, "x", DType::kFloat32, test::fixed_dims(shape));
    const Expr weights = ops::input(graph, "weights", DType::kFloat32, test::fixed_dims(shape));
    const Tensor values = test::random_tensor(shape, 1, -8.0, 8.0);
    values.data<float>()[0] = -100.0f;  // what is far below the others in a chunk of its own
    const Tensor weight_values = test::random_tensor(shape, 2);
    const Expr y = ops::softmax(x, 1);
    const Expr log_y = ops::log_softmax(x, 1);
    const auto gradient_of = [&](const Expr& of) {
      return gradients(ops::reduce(Reduction::kSum, ops::mul(of, weights), {0, 1, 2}), {x})[0];
    };
    const auto results = test::evaluate(std::vector<Expr>{y, log_y, gradient_of(y), gradient_of(log_y)},
                                        {{"x", values}, {"weights", weight_values}});
    for (int64_t outer = 0; outer < shape[0]; ++outer) {
      for (int64_t inner = 0; inner < shape[2]; ++inner) {
        const double shift = log_sum_exp_of(values, outer, inner);
        const auto at = [&](int64_t i) { return static_cast<size_t>((outer * shape[1] + i) * shape[2] + inner); };
        double sum = 0;
        double dot = 0;
        for (int64_t i = 0; i < shape[1]; ++i) {
          sum += weight_values.data<float>()[at(i)];
          dot += weight_values.data<float>()[at(i)] * std::exp(values.data<float>()[at(i)] - shift);
        }
        for (int64_t i = 0; i < shape[1]; ++i) {
          const double log_p = values.data<float>()[at(i)] - shift;
          const double weight = weight_values.data<float>()[at(i)];
          ASSERT_NEAR(results[0].data<float>()[at(i)], std::exp(log_p), 2e-6) << i;
          ASSERT_NEAR(results[1].data<float>()[at(i)], log_p, 2e-5) << i;
          ASSERT_NEAR(results[2].data<float>()[at(i)], std::exp(log_p) * (weight - dot), 2e-6) << i;
          ASSERT_NEAR(results[3].data<float>()[at(i)], weight - std::exp(log_p) * sum, 2e-5) << i;
        }
      }
    }
  }
}

TEST(CrossEntropy, RowsOfAllSizes) {
  for (const Shape& shape : kSliceShapes) {
    if (shape[2] > 1) continue;
    SCOPED_TRACE("slices of " + std::to_string(shape[1]));
    const int64_t rows = shape[0];
    const int64_t n = shape[1];
    Graph graph;
    const Expr x = ops::parameter(graph, "x", DType::kFloat32, test::fixed_dims({rows, n}));
    const Expr targets = ops::parameter(graph, "targets", DType::kFloat32, test::fixed_dims({rows, n}));
    const Expr labels = ops::input(graph, "labels", DType::kInt32, {Dim::fixed(rows)});
    const Tensor values = test::random_tensor(shape, 3, -8.0, 8.0);
    const Tensor target_values = test::random_tensor({rows, n}, 4, 0.0, 1.0);
    std::vector<int32_t> label_values;
    for (int64_t row = 0; row < rows; ++row) label_values.push_back(static_cast<int32_t>((row + 1) * 7919 % n));
    const Expr loss = ops::softmax_cross_entropy(x, labels);
    const Expr dense = ops::softmax_cross_entropy_dense(x, targets);
    const Expr dx = gradients(ops::reduce(Reduction::kSum, loss, {0}), {x})[0];
    const auto of_dense = gradients(ops::reduce(Reduction::kSum, dense, {0}), {x, targets});
    const auto results = test::evaluate({loss, dx, dense, of_dense[0], of_dense[1]},
                                        {{"x", values.reshaped({rows, n})},
                                         {"targets", target_values},
                                         {"labels", Tensor::of<int32_t>(label_values, {rows})}});
    for (int64_t row = 0; row < rows; ++row) {
      const double shift = log_sum_exp_of(values, row, 0);
      const float* own = values.data<float>() + row * n;
      const float* target = target_values.data<float>() + row * n;
      const int32_t label = label_values[static_cast<size_t>(row)];
      EXPECT_NEAR(results[0].data<float>()[row], shift - own[label], 2e-5);
      double sum = 0;
      double expected = 0;
      for (int64_t i = 0; i < n; ++i) sum += target[i];
      for (int64_t i = 0; i < n; ++i) expected += target[i] * (shift - own[i]);
      EXPECT_NEAR(results[2].data<float>()[row], expected, 1e-5 * (1 + expected));
      for (int64_t i = 0; i < n; ++i) {
        const double p = std::exp(own[i] - shift);
        ASSERT_NEAR(results[1].data<float>()[row * n + i], p - (i == label ? 1.0 : 0.0), 2e-6) << i;
        ASSERT_NEAR(results[3].data<float>()[row * n + i], p * sum - target[i], 1e-5 * (1 + p * sum)) << i;
        ASSERT_NEAR(results[4].data<float>()[row * n + i], shift - own[i], 2e-5) << i;
      }
    }
  }
}

TEST(CrossEntropy, InvalidRowsAreNotLookedAt) {
  Graph graph;
  const Dim rows = Dim::fixed(3);
  const Expr logits = ops::parameter(graph, "logits", DType::kFloat32, {rows, Dim::fixed(3)});
  const Expr labels = ops::input(graph, "labels", DType::kInt32, {rows});
  const Expr valid = ops::input(graph, "valid", DType::kBool, {rows});
  const Expr loss = ops::softmax_cross_entropy(logits, labels, valid);
  const Expr total = ops::reduce(Reduction::kSum, loss, {0});
  const std::vector<Expr> grads = gradients(total, {logits});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  std::map<std::string, Tensor> leaves{{"logits", Tensor::of<float>({0, 1, 2, nan, nan, nan, 1, 1, 1}, {3, 3})},
                                       {"labels", Tensor::of<int32_t>({2, 77, 0}, {3})},
                                       {"valid", Tensor::of<bool>({true, false, true}, {3})}};
  const auto values = test::evaluate({loss, grads[0]}, leaves);
  const auto y = values[0].to_vector<float>();
  EXPECT_NEAR(y[0], 0.40760596, 1e-6);
  EXPECT_EQ(y[1], 0.0f);
  EXPECT_NEAR(y[2], std::log(3.0), 1e-6);
  const auto d = values[1].to_vector<float>();
  const std::vector<float> expected{0.09003057f, 0.24472847f, -0.33475904f, 0, 0, 0, -2 / 3.f, 1 / 3.f, 1 / 3.f};
  for (size_t i = 0; i < d.size(); ++i) EXPECT_NEAR(d[i], expected[i], 1e-6) << i;
  leaves["labels"] = Tensor::of<int32_t>({2, 0, 3}, {3});
  EXPECT_THROW(test::evaluate(loss, leaves), Error);
}

TEST(CrossEntropy, Gradients) {
  test::FiniteDifferenceOptions options;
  options.other_leaves["labels"] = Tensor::of<int32_t>({0, 39, 7, 1}, {4});
  test::expect_gradients(
      {{4, 40}},
      [](Graph& graph, const std::vector<Expr>& x) {
        return ops::softmax_cross_entropy(x[0], ops::input(graph, "labels", DType::kInt32, {x[0].dim(0)}));
      },
      options);
  test::expect_gradients({{4, 9}, {4, 9}}, [](Graph&, const std::vector<Expr>& x) {
    return ops::softmax_cross_entropy_dense(x[0], x[1]);
  });
}

}  // namespace
}  // namespace wende
