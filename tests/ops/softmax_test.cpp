#include "ops/softmax.h"

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
