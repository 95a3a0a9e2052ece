#include "ops/conv.h"

#include "base/error.h"
#include "ops/cumsum.h"
#include "ops/finite_difference.h"
#include "ops/top_k.h"

namespace wende {
namespace {

using test::evaluate;
using test::expect_gradients;
using test::fixed_dims;

Expr array(Graph& graph, Shape shape, std::vector<float> values) {
  return ops::constant_array(graph, Tensor::of(values, shape), fixed_dims(shape));
}

ops::ConvOptions options(std::vector<int> strides, std::vector<int> dilations, std::vector<int> left, bool same,
                         int groups = 1) {
  return {std::move(strides), std::move(dilations), std::move(left), same, groups};
}

TEST(ConvOp, KnownNumbers) {
  Graph graph;
  const Expr x = array(graph, {1, 4, 1}, {1, 2, 3, 4});
  const Expr w = array(graph, {2, 1, 1}, {10, 1});
  const auto run = [&](const ops::ConvOptions& o, int64_t size) {
    return evaluate(ops::conv(x, w, o, fixed_dims({size}))).to_vector<float>();
  };
  EXPECT_EQ(run(options({1}, {1}, {0}, false), 3), (std::vector<float>{12, 23, 34}));
  EXPECT_EQ(run(options({1}, {1}, {0}, true), 4), (std::vector<float>{12, 23, 34, 40}));  // more zeros on the right
  EXPECT_EQ(run(options({2}, {1}, {1}, false), 2), (std::vector<float>{1, 23}));
  EXPECT_EQ(run(options({1}, {2}, {0}, false), 2), (std::vector<float>{13, 24}));
  EXPECT_EQ(run(options({1}, {1}, {0}, false), 0), std::vector<float>{});
  const Expr longer =
      ops::transposed_conv(array(graph, {1, 2, 1}, {1, 2}), w, options({2}, {1}, {0}, false), fixed_dims({4}));
  EXPECT_EQ(evaluate(longer).to_vector<float>(), (std::vector<float>{10, 1, 20, 2}));
}

TEST(ConvOp, GroupsSeeTheirOwnChannels) {
  Graph graph;
  const Expr x = array(graph, {1, 1, 2}, {1, 2});
  const Expr w = array(graph, {1, 1, 4}, {1, 2, 3, 4});
  const Expr y = ops::conv(x, w, options({1}, {1}, {0}, false, 2), fixed_dims({1}));
  EXPECT_EQ(evaluate(y).to_vector<float>(), (std::vector<float>{1, 2, 6, 8}));
}

TEST(ConvOp, Gradients) {
  using Args = std::vector<Expr>;
  expect_gradients({{2, 5, 3}, {3, 3, 4}}, [](Graph&, const Args& a) {
    return ops::conv(a[0], a[1], options({2}, {1}, {0}, true), fixed_dims({3}));
  });
  expect_gradients({{2, 5, 4, 4}, {3, 2, 2, 6}}, [](Graph&, const Args& a) {
    return ops::conv(a[0], a[1], options({1, 2}, {1, 1}, {1, 0}, false, 2), fixed_dims({5, 2}));
  });
  expect_gradients({{1, 3, 4, 3, 2}, {2, 2, 2, 2, 3}}, [](Graph&, const Args& a) {
    return ops::conv(a[0], a[1], options({1, 1, 1}, {1, 2, 1}, {0, 0, 0}, false), fixed_dims({2, 2, 2}));
  });
  expect_gradients({{2, 3, 4}, {3, 2, 4}}, [](Graph&, const Args& a) {
    return ops::transposed_conv(a[0], a[1], options({2}, {1}, {0}, true), fixed_dims({6}));
  });
}

TEST(PoolOp, KnownNumbers) {
  Graph graph;
  const Expr x = array(graph, {1, 3, 1}, {-1, -4, -6});
  const auto run = [&](bool max, bool same, bool counted, int64_t size) {
    return evaluate(ops::pool(x, max, {2}, options({1}, {1}, {0}, same), counted, fixed_dims({size})))
        .to_vector<float>();
  };
  EXPECT_EQ(run(true, false, false, 2), (std::vector<float>{-1, -4}));
  EXPECT_EQ(run(true, true, false, 3), (std::vector<float>{-1, -4, -6}));
  EXPECT_EQ(run(true, true, true, 3), (std::vector<float>{-1, -4, 0}));
  EXPECT_EQ(run(false, true, false, 3), (std::vector<float>{-2.5, -5, -6}));
  EXPECT_EQ(run(false, true, true, 3), (std::vector<float>{-2.5, -5, -3}));
}

TEST(PoolOp, Gradients) {
  using Args = std::vector<Expr>;
  for (const bool max : {true, false}) {
    expect_gradients(
        {{2, 5, 4, 3}},
        [max](Graph&, const Args& a) {
          return ops::pool(a[0], max, {3, 2}, options({2, 2}, {1, 1}, {0, 0}, true), false, fixed_dims({3, 2}));
        },
        {.epsilon = 1e-3, .tolerance = 2e-2});
  }
}

TEST(CumsumOp, BothDirections) {
  Graph graph;
  const Expr x = array(graph, {1, 3}, {1, 2, 4});
  EXPECT_EQ(evaluate(ops::cumsum(x, 1)).to_vector<float>(), (std::vector<float>{1, 3, 7}));
  EXPECT_EQ(evaluate(ops::cumsum(x, 1, true)).to_vector<float>(), (std::vector<float>{7, 6, 4}));
  expect_gradients({{2, 4, 3}}, [](Graph&, const std::vector<Expr>& a) { return ops::cumsum(a[0], 1); });
}

TEST(TopKOp, LargestFirst) {
  Graph graph;
  const Expr x = array(graph, {2, 4}, {1, 5, 5, 2, 0, -1, 3, 3});
  const ops::TopK top = ops::top_k(x, Dim::fixed(2));
  EXPECT_EQ(evaluate(top.values).to_vector<float>(), (std::vector<float>{5, 5, 3, 3}));
  EXPECT_EQ(evaluate(top.indices).to_vector<int32_t>(), (std::vector<int32_t>{1, 2, 2, 3}));
  EXPECT_THROW(ops::top_k(x, Dim::fixed(5)), Error);
  expect_gradients({{3, 6}}, [](Graph&, const std::vector<Expr>& a) { return ops::top_k(a[0], Dim::fixed(2)).values; },
                   {.epsilon = 1e-3});
}

}  // namespace
}  // namespace wende
