#include "device/product_precision.h"

#include "base/error.h"
#include "ops/finite_difference.h"
#include "ops/linear_relu.h"
#include "ops/matmul.h"
#include "tensor/placement.h"

namespace wende {
namespace {

struct Operands {
  Tensor x, w, bias, dy;
};

constexpr int64_t kRows = 70;
constexpr int64_t kInner = 130;
constexpr int64_t kColumns = 45;

Operands operands() {
  return {test::random_tensor({7, 10, kInner}, 1), test::random_tensor({kInner, kColumns}, 2),
          test::random_tensor({kColumns}, 3), test::random_tensor({7, 10, kColumns}, 4)};
}

/// A sum of products in float64, and the sum of their magnitudes.
struct Exact {
  double value = 0;
  double magnitude = 0;
  void add(double a, double b) {
    value += a * b;
    magnitude += std::abs(a * b);
  }
};

/// What |computed - exact| may be: both operands rounded with unit roundoff u, k float32 sums.
double bound(const Exact& exact, double u, int64_t k) {
  return exact.magnitude * (2 * u + u * u + static_cast<double>(k + 2) * std::ldexp(1.0, -24)) * 1.01;
}

/// Largest error of y = x w + bias, dx = dy w^T, dw = x^T dy and dbias, as a share of its bound.
struct Products {
  Products() {
    const Dim columns = Dim::fixed(kColumns);
    const std::vector<Dim> rows{Dim::fixed(7), Dim::fixed(10)};
    const Expr x = ops::parameter(graph, "x", DType::kFloat32, {rows[0], rows[1], Dim::fixed(kInner)});
    const Expr w = ops::parameter(graph, "w", DType::kFloat32, {x.dim(2), columns});
    const Expr bias = ops::parameter(graph, "bias", DType::kFloat32, {columns});
    const Expr dy = ops::input(graph, "dy", DType::kFloat32, {rows[0], rows[1], columns});
    y = ops::linear(x, w, bias);
    const Expr loss = ops::reduce(Reduction::kSum, ops::mul(y, dy), {0, 1, 2});
    fetched = gradients(loss, {x, w, bias});
    fetched.insert(fetched.begin(), y);
  }

  std::vector<std::vector<float>> run(const Operands& o) {
    std::vector<std::vector<float>> results;
    for (const Tensor& tensor : test::evaluate(fetched, {{"x", o.x}, {"w", o.w}, {"bias", o.bias}, {"dy", o.dy}})) {
      results.push_back(tensor.to_vector<float>());
    }
    return results;
  }

  Graph graph;
  Expr y;
  std::vector<Expr> fetched;
};

double worst_share(const Operands& o, const std::vector<std::vector<float>>& computed, double u) {
  const float* x = o.x.data<float>();
  const float* w = o.w.data<float>();
  const float* dy = o.dy.data<float>();
  double worst = 0;
  const auto compare = [&](size_t result, int64_t at, const Exact& exact, double roundoff, int64_t k) {
    const double error = std::abs(static_cast<double>(computed[result][static_cast<size_t>(at)]) - exact.value);
    worst = std::max(worst, error / bound(exact, roundoff, k));
  };
  for (int64_t r = 0; r < kRows; ++r) {
    for (int64_t c = 0; c < kColumns; ++c) {
      Exact sum;
      for (int64_t i = 0; i < kInner; ++i) sum.add(x[r * kInner + i], w[i * kColumns + c]);
      sum.add(1, o.bias.data<float>()[c]);
      compare(0, r * kColumns + c, sum, u, kInner);
    }
    for (int64_t i = 0; i < kInner; ++i) {
      Exact sum;
      for (int64_t c = 0; c < kColumns; ++c) sum.add(dy[r * kColumns + c], w[i * kColumns + c]);
      compare(1, r * kInner + i, sum, u, kColumns);
    }
  }
  for (int64_t c = 0; c < kColumns; ++c) {
    for (int64_t i = 0; i < kInner; ++i) {
      Exact sum;
      for (int64_t r = 0; r < kRows; ++r) sum.add(x[r * kInner + i], dy[r * kColumns + c]);
      compare(2, i * kColumns + c, sum, u, kRows);
    }
    Exact sum;
    for (int64_t r = 0; r < kRows; ++r) sum.add(1, dy[r * kColumns + c]);
    compare(3, c, sum, u, kRows);
  }
  return worst;
}

/// The precision of the process, set back at the end.
struct WithPrecision {
  explicit WithPrecision(ProductPrecision precision) { set_product_precision(precision); }
  ~WithPrecision() { set_product_precision(ProductPrecision::kFloat32); }
};

TEST(ProductPrecision, ErrorsStayWithinTheirBounds) {
  const Operands o = operands();
  Products products;
  EXPECT_LT(worst_share(o, products.run(o), 0.0), 1.0);
  for (const auto& [precision, u] : {std::pair(ProductPrecision::kTf32, std::ldexp(1.0, -10)),
                                     std::pair(ProductPrecision::kBf16, std::ldexp(1.0, -8))}) {
    const WithPrecision with(precision);
    const auto computed = products.run(o);
    EXPECT_LT(worst_share(o, computed, u), 1.0) << u;
    if (!test::test_device().is_cpu()) {
      EXPECT_GT(worst_share(o, computed, 0.0), 5.0) << "not rounded at all? " << u;
    }
  }
}

TEST(ProductPrecision, OperandsThatFitAreExact) {
  Operands o = operands();
  const auto coarse = [](const Tensor& tensor) {
    for (int64_t i = 0; i < tensor.elements(); ++i) {
      tensor.data<float>()[i] = std::round(tensor.data<float>()[i] * 16) / 16;
    }
  };
  for (const Tensor& tensor : {o.x, o.w, o.bias, o.dy}) coarse(tensor);
  Products products;
  const auto plain = products.run(o);
  for (const ProductPrecision precision : {ProductPrecision::kTf32, ProductPrecision::kBf16}) {
    const WithPrecision with(precision);
    EXPECT_EQ(products.run(o), plain);
  }
}

TEST(ProductPrecision, Names) {
  EXPECT_EQ(product_precision_of("tf32"), ProductPrecision::kTf32);
  EXPECT_EQ(product_precision_of("bf16"), product_precision_of("bfloat16"));
  EXPECT_THROW(product_precision_of("float16"), Error);
}

/// Parameters lie anywhere in their flat block: libraries of products may want more of a bias.
TEST(Linear, BiasAnywhereInMemory) {
  const Operands o = operands();
  const Tensor block = Tensor::empty(DType::kFloat32, Shape{kColumns + 4}, test::test_device());
  std::vector<float> expected;
  for (int64_t offset = 0; offset < 4; ++offset) {
    const Tensor bias = block.sliced(0, offset, offset + kColumns);
    bias.copy_from(o.bias);
    Graph graph;
    const Expr x = ops::parameter(graph, "x", DType::kFloat32, {Dim::fixed(7), Dim::fixed(10), Dim::fixed(kInner)});
    const Expr w = ops::parameter(graph, "w", DType::kFloat32, {x.dim(2), Dim::fixed(kColumns)});
    const Expr b = ops::parameter(graph, "bias", DType::kFloat32, {w.dim(1)});
    const Tensor y = test::evaluate(ops::linear(x, w, b), {{"x", o.x}, {"w", o.w}, {"bias", bias}});
    const std::vector<float> values = on_host(y).to_vector<float>();
    if (offset == 0) expected = values;
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-5) << offset;
  }
}

TEST(LinearRelu, OneNodeGivesTheSame) {
  for (const bool with_bias : {false, true}) {
    Graph graph;
    const Dim columns = Dim::fixed(kColumns);
    const Expr x = ops::parameter(graph, "x", DType::kFloat32, {Dim::fixed(7), Dim::fixed(10), Dim::fixed(kInner)});
    const Expr w = ops::parameter(graph, "w", DType::kFloat32, {x.dim(2), columns});
    const Expr bias = with_bias ? ops::parameter(graph, "bias", DType::kFloat32, {columns}) : Expr();
    const Expr dy = ops::input(graph, "dy", DType::kFloat32, {x.dim(0), x.dim(1), columns});
    const Expr y = ops::unary(Unary::kRelu, ops::linear(x, w, bias));
    std::vector<Expr> fetched = gradients(ops::reduce(Reduction::kSum, ops::mul(y, dy), {0, 1, 2}),
                                          with_bias ? std::vector<Expr>{x, w, bias} : std::vector<Expr>{x, w});
    fetched.push_back(y);
    const Operands o = operands();
    const std::map<std::string, Tensor> leaves{{"x", o.x}, {"w", o.w}, {"bias", o.bias}, {"dy", o.dy}};
    const std::vector<Tensor> plain = test::evaluate(fetched, leaves);
    const auto nodes = [&] {
      std::vector<Fetch> fetches;
      for (const Expr& expr : fetched) fetches.push_back({expr, {}});
      return Executor(graph, fetches, test::test_device()).node_count();
    };
    const int64_t before = nodes();
    ops::offer_linear_relu(graph);
    EXPECT_EQ(nodes(), before - 1);
    const std::vector<Tensor> fused = test::evaluate(fetched, leaves);
    for (size_t i = 0; i < plain.size(); ++i) {
      EXPECT_EQ(fused[i].to_vector<float>(), plain[i].to_vector<float>()) << "result " << i;
    }
  }
}

}  // namespace
}  // namespace wende
