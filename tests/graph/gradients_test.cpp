#include "graph/gradients.h"

#include <gtest/gtest.h>

#include "base/error.h"
#include "graph/executor.h"
#include "graph/test_ops.h"

namespace wende {
namespace {

using test::affine;
using test::leaf;
using test::product;
using test::sum;

std::vector<float> evaluate(Expr expr, const std::map<std::string, Tensor>& leaves) {
  Executor executor(*expr.graph, {{expr, {}}});
  for (const auto& [name, tensor] : leaves) executor.bind(name, tensor);
  return executor.run({})[0].to_vector<float>();
}

class GradientsTest : public testing::Test {
 protected:
  Graph graph;
  Dim two = Dim::fixed(2);
  Expr x = leaf(graph, "x", {two}, true);
  Expr y = leaf(graph, "y", {two}, true);
  std::map<std::string, Tensor> leaves{{"x", Tensor::of<float>({3, -2}, {2})}, {"y", Tensor::of<float>({5, 7}, {2})}};
};

TEST_F(GradientsTest, SumOverAllPaths) {
  // loss = sum(x * x * y + 4 x + 1): d/dx = 2 x y + 4, d/dy = x^2
  const Expr loss = sum(product(affine(product(x, y), 1, 4), x));
  const std::vector<Expr> grads = gradients(loss, {x, y});
  EXPECT_EQ(evaluate(grads[0], leaves), (std::vector<float>{2 * 3 * 5 + 4, 2 * -2 * 7 + 4}));
  EXPECT_EQ(evaluate(grads[1], leaves), (std::vector<float>{9, 4}));
}

TEST_F(GradientsTest, WithRespectToAnInnerExpression) {
  const Expr inner = affine(x, 2, 0);
  const Expr loss = sum(product(inner, inner));
  const std::vector<Expr> grads = gradients(loss, {inner, x});
  EXPECT_EQ(evaluate(grads[0], leaves), (std::vector<float>{12, -8}));
  EXPECT_EQ(evaluate(grads[1], leaves), (std::vector<float>{24, -16}));
}

TEST_F(GradientsTest, UndefinedWhereTheLossDoesNotDepend) {
  const std::vector<Expr> grads = gradients(sum(x), {x, y});
  EXPECT_TRUE(grads[0].defined());
  EXPECT_FALSE(grads[1].defined());
}

TEST_F(GradientsTest, NodesThatNobodyWantsAreNotDifferentiated) {
  // fragile has no gradient, but only x is asked for.
  const Expr loss = sum(product(x, test::fragile(y, 0, 0)));
  EXPECT_EQ(evaluate(gradients(loss, {x})[0], leaves), (std::vector<float>{5, 7}));
  try {
    gradients(loss, {y});
    FAIL() << "a gradient out of nothing";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("[fragile] has no gradient"), std::string::npos) << error.what();
  }
}

TEST_F(GradientsTest, BackwardNodesBelongToTheLayerOfTheForwardNode) {
  Expr hidden;
  {
    const ScopeGuard scope(graph, "hidden");
    hidden = affine(x, 3, 0);
  }
  const Expr grad = gradients(sum(hidden), {x})[0];
  EXPECT_EQ(graph.scope_name(graph.node(grad.node).scope), "hidden");
}

TEST_F(GradientsTest, OnlyScalarLosses) { EXPECT_THROW(gradients(x, {x}), Error); }

}  // namespace
}  // namespace wende
