#include "ops/matmul.h"

#include "base/error.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

TEST(Linear, Values) {
  Graph graph;
  const Dim two = Dim::fixed(2);
  const Expr x = ops::input(graph, "x", DType::kFloat32, {two, two});
  const Expr w = ops::input(graph, "w", DType::kFloat32, {two, Dim::fixed(3)});
  const Expr b = ops::input(graph, "b", DType::kFloat32, {Dim::fixed(3)});
  const auto values = test::evaluate(ops::linear(x, w, b), {{"x", Tensor::of<float>({1, 2, 3, 4}, {2, 2})},
                                                            {"w", Tensor::of<float>({1, 0, 2, 0, 1, -1}, {2, 3})},
                                                            {"b", Tensor::of<float>({10, 20, 30}, {3})}})
                          .to_vector<float>();
  EXPECT_EQ(values, (std::vector<float>{11, 22, 30, 13, 24, 32}));
  EXPECT_THROW(ops::linear(x, b), Error);
}

TEST(Linear, Gradients) {
  test::expect_gradients({{4, 3, 5}, {5, 2}, {2}},
                         [](Graph&, const std::vector<Expr>& x) { return ops::linear(x[0], x[1], x[2]); });
  test::expect_gradients({{4, 5}, {2, 5}, {2}},
                         [](Graph&, const std::vector<Expr>& x) { return ops::linear(x[0], x[1], x[2], true); });
}

TEST(BatchMatmul, GradientsOfAllTranspositions) {
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      SCOPED_TRACE(testing::Message() << ta << tb);
      test::expect_gradients({ta ? Shape{2, 4, 3} : Shape{2, 3, 4}, tb ? Shape{2, 5, 4} : Shape{2, 4, 5}},
                             [=](Graph&, const std::vector<Expr>& x) { return ops::batch_matmul(x[0], x[1], ta, tb); });
    }
  }
}

TEST(BatchMatmul, Values) {
  Graph graph;
  const Dim two = Dim::fixed(2);
  const Expr a = ops::input(graph, "a", DType::kFloat32, {two, Dim::fixed(1), two});
  const Tensor x = Tensor::of<float>({1, 2, 3, 4}, {2, 1, 2});
  EXPECT_EQ(test::evaluate(ops::batch_matmul(a, a, false, true), {{"a", x}}).to_vector<float>(),
            (std::vector<float>{5, 25}));
}

}  // namespace
}  // namespace wende
