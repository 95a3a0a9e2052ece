/// Gradients of gradients, as tikhonov_regularization takes them, against finite differences of the gradient.
#include <cmath>

#include "ops/finite_difference.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

/// The gradient of sum(f(x)^2), as a function of x.
test::ExprFunction gradient_of(const std::function<Expr(Expr)>& f) {
  return [f](Graph& graph, const std::vector<Expr>& x) {
    const Expr y = f(x[0]);
    std::vector<int> axes;
    for (int axis = 0; axis < y.rank(); ++axis) axes.push_back(axis);
    const Expr total = ops::reduce(ops::Reduction::kSum, ops::unary(ops::Unary::kSquare, y), axes);
    const Expr gradient = gradients(total, {x[0]}).at(0);
    EXPECT_TRUE(gradient.defined());
    static_cast<void>(graph);
    return gradient;
  };
}

TEST(SecondGradient, Pointwise) {
  for (const ops::Unary kind : {ops::Unary::kTanh, ops::Unary::kSigmoid, ops::Unary::kExp, ops::Unary::kSquare}) {
    test::expect_gradients({{4, 5}}, gradient_of([kind](Expr x) { return ops::unary(kind, x); }));
  }
  test::FiniteDifferenceOptions away_from_zero;
  away_from_zero.low = 0.3;
  for (const ops::Unary kind :
       {ops::Unary::kLog, ops::Unary::kRelu, ops::Unary::kAbs, ops::Unary::kLeakyRelu, ops::Unary::kRelu6}) {
    test::expect_gradients({{4, 5}}, gradient_of([kind](Expr x) { return ops::unary(kind, x); }), away_from_zero);
  }
}

TEST(SecondGradient, Softmax) {
  for (const int axis : {0, 1}) {
    test::expect_gradients({{4, 5}}, gradient_of([axis](Expr x) { return ops::softmax(x, axis); }));
    test::expect_gradients({{4, 5}}, gradient_of([axis](Expr x) { return ops::log_softmax(x, axis); }));
  }
}

/// concat's gradient is a split, whose gradient is a concat.
TEST(SecondGradient, Concat) {
  test::expect_gradients({{4, 5}}, gradient_of([](Expr x) {
                           const Expr y = ops::unary(ops::Unary::kTanh, x);
                           return ops::unary(ops::Unary::kSquare, ops::concat({x, y}, 1, Dim::fixed(10)));
                         }));
}

}  // namespace
}  // namespace wende
