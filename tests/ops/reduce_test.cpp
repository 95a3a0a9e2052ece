#include "ops/reduce.h"

#include "base/error.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

TEST(ReduceOp, Gradients) {
  for (const Reduction kind :
       {Reduction::kSum, Reduction::kMean, Reduction::kMax, Reduction::kMin, Reduction::kProd, Reduction::kLogSumExp}) {
    SCOPED_TRACE(static_cast<int>(kind));
    for (const std::vector<int>& axes : {std::vector<int>{0}, {1}, {2}, {0, 2}, {0, 1, 2}, {-1}}) {
      for (const bool keep : {false, true}) {
        test::expect_gradients({{3, 2, 4}},
                               [&](Graph&, const std::vector<Expr>& x) { return ops::reduce(kind, x[0], axes, keep); },
                               {.epsilon = 5e-4, .low = 0.5, .high = 1.5});
      }
    }
  }
}

TEST(ReduceOp, MeanCountsTheElementsOfTheBatch) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const Expr x = ops::parameter(graph, "x", DType::kFloat32, {batch, time});
  const Expr mean = ops::reduce(Reduction::kMean, x, {0, 1});
  const Expr grad = gradients(mean, {x})[0];
  for (const int32_t length : {2, 5}) {
    Binding binding;
    binding.bind(batch, 2);
    binding.bind_lengths(time, {length, 1});
    const auto values = test::evaluate({mean, grad}, {{"x", test::random_tensor({2, length}, 3, 1.0, 1.0)}}, binding);
    EXPECT_FLOAT_EQ(*values[0].data<float>(), 1.0f);
    EXPECT_FLOAT_EQ(values[1].data<float>()[0], 0.5f / static_cast<float>(length));
  }
}

TEST(ReduceOp, EqualExtremaShareTheGradient) {
  Graph graph;
  const Expr x = ops::parameter(graph, "x", DType::kFloat32, test::fixed_dims({4}));
  const Expr grad = gradients(ops::reduce(Reduction::kMax, x, {0}), {x})[0];
  EXPECT_EQ(test::evaluate(grad, {{"x", Tensor::of<float>({1, 3, 3, 2}, {4})}}).to_vector<float>(),
            (std::vector<float>{0, 0.5f, 0.5f, 0}));
}

TEST(ReduceOp, DtypesAndAxesAreChecked) {
  Graph graph;
  const Expr x = ops::parameter(graph, "x", DType::kFloat32, test::fixed_dims({4}));
  const Expr i = ops::cast(x, DType::kInt32);
  EXPECT_THROW(ops::reduce(Reduction::kAny, x, {0}), Error);
  EXPECT_THROW(ops::reduce(Reduction::kMean, i, {0}), Error);
  EXPECT_THROW(ops::reduce(Reduction::kSum, x, {1}), Error);
  EXPECT_EQ(ops::reduce(Reduction::kSum, i, {0}).dtype(), DType::kInt32);
  EXPECT_EQ(ops::argmax(x, -1).rank(), 0);
}

TEST(LeafOp, ConstantsAndRanges) {
  Graph graph;
  const Dim time = Dim::dynamic("time");
  Binding binding;
  binding.bind_lengths(time, {3, 4});
  EXPECT_EQ(test::evaluate(ops::range(graph, time), {}, binding).to_vector<int32_t>(),
            (std::vector<int32_t>{0, 1, 2, 3}));
  const Expr c = ops::constant(graph, 2, DType::kInt64, {Dim::fixed(2), time});
  EXPECT_EQ(test::evaluate(c, {}, binding).to_vector<int64_t>(), std::vector<int64_t>(8, 2));
  EXPECT_THROW(ops::constant_array(graph, Tensor::scalar(1), {Dim::fixed(2)}), Error);
}

/// So many elements per result that several blocks work on it.
TEST(Reduce, LongAxesInChunks) {
  for (const Shape& shape : {Shape{1, 70000, 1}, Shape{2, 40001, 1}, Shape{1, 9000, 3}, Shape{3, 5000, 40}}) {
    Graph graph;
    const Expr x = ops::input(graph, "x", DType::kFloat32, test::fixed_dims(shape));
    const Tensor values = test::random_tensor(shape, 5);
    const auto results = test::evaluate({ops::reduce(Reduction::kMean, x, {1}), ops::reduce(Reduction::kMax, x, {1}),
                                         ops::reduce(Reduction::kLogSumExp, x, {1})},
                                        {{"x", values}});
    for (int64_t place = 0; place < shape[0] * shape[2]; ++place) {
      const float* from = values.data<float>() + place / shape[2] * shape[1] * shape[2] + place % shape[2];
      double sum = 0;
      double exponentials = 0;
      float most = -2.0f;
      for (int64_t i = 0; i < shape[1]; ++i) {
        const float value = from[i * shape[2]];
        sum += value;
        exponentials += std::exp(static_cast<double>(value));
        most = std::max(most, value);
      }
      const auto at = static_cast<size_t>(place);
      EXPECT_NEAR(results[0].to_vector<float>()[at], sum / static_cast<double>(shape[1]), 1e-7);
      EXPECT_EQ(results[1].to_vector<float>()[at], most);
      EXPECT_NEAR(results[2].to_vector<float>()[at], std::log(exponentials), 2e-5);
    }
  }
}

}  // namespace
}  // namespace wende
