#include "ops/shape.h"

#include "base/error.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

using test::evaluate;
using test::expect_gradients;
using test::fixed_dims;

Expr counted(Graph& graph, Shape shape) {
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
  return ops::constant_array(graph, Tensor::of(values, shape), fixed_dims(shape));
}

std::vector<float> values_of(Expr expr) { return evaluate(expr).to_vector<float>(); }

TEST(ShapeOp, PermuteReshapeSqueeze) {
  Graph graph;
  const Expr x = counted(graph, {2, 3});
  EXPECT_EQ(values_of(ops::permute(x, {1, 0})), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  const Expr wide = ops::expand_dims(x, 1);
  EXPECT_EQ(evaluate(wide).shape(), (Shape{2, 1, 3}));
  EXPECT_EQ(ops::squeeze(wide, 1).rank(), 2);
  EXPECT_THROW(ops::squeeze(x, 0), Error);
  EXPECT_THROW(ops::permute(x, {0, 0}), Error);
  EXPECT_THROW(ops::reshape(x, {Dim::fixed(4)}), Error);
}

TEST(ShapeOp, GradientsOfSlicesSideBySideAreCopied) {
  const auto parts = [](Expr x, std::vector<int64_t> ends) {
    Expr sum;
    int64_t begin = 0;
    for (const int64_t end : ends) {
      const Expr part = ops::slice(x, 1, begin, end, 1, Dim::fixed(end - begin));
      const Expr value = ops::sum_all(ops::unary(Unary::kTanh, ops::scale(part, static_cast<double>(end))));
      sum = sum.defined() ? ops::add(sum, value) : value;
      begin = end;
    }
    return sum;
  };
  for (const auto& [ends, copied] : {std::pair(std::vector<int64_t>{2, 3, 7}, true),
                                     std::pair(std::vector<int64_t>{2, 3, 6}, false)}) {  // the last element is unread
    expect_gradients({{2, 7}}, [&, &ends = ends](Graph&, const std::vector<Expr>& x) { return parts(x[0], ends); });
    Graph graph;
    const Expr x = ops::parameter(graph, "x", DType::kFloat32, fixed_dims({2, 7}));
    gradients(parts(x, ends), {x});
    EXPECT_EQ(graph.str().find("concat") != std::string::npos, copied) << graph.str();
  }
}

TEST(ShapeOp, SlicesLikePython) {
  Graph graph;
  const Expr x = counted(graph, {6});
  const auto sliced = [&](int64_t begin, int64_t end, int64_t step, int64_t size) {
    return values_of(ops::slice(x, 0, begin, end, step, Dim::fixed(size)));
  };
  EXPECT_EQ(sliced(1, 5, 2, 2), (std::vector<float>{1, 3}));
  EXPECT_EQ(sliced(-3, -1, 1, 2), (std::vector<float>{3, 4}));
  EXPECT_EQ(sliced(0, INT64_MAX, 1, 6), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(sliced(-1, INT64_MIN, -2, 3), (std::vector<float>{5, 3, 1}));
  EXPECT_EQ(sliced(4, 2, 1, 0), std::vector<float>{});
  EXPECT_THROW(sliced(0, 3, 1, 4), Error);
}

TEST(ShapeOp, WindowIsZeroPadded) {
  Graph graph;
  const Expr x = counted(graph, {1, 3, 1});
  EXPECT_EQ(values_of(ops::window(x, 1, Dim::fixed(3), 1)), (std::vector<float>{0, 0, 1, 0, 1, 2, 1, 2, 0}));
  EXPECT_EQ(values_of(ops::window(x, 1, Dim::fixed(2), 0)), (std::vector<float>{0, 1, 1, 2, 2, 0}));
}

TEST(ShapeOp, PadAndConcat) {
  Graph graph;
  const Expr x = counted(graph, {2, 2});
  EXPECT_EQ(values_of(ops::pad(x, 1, 1, 0, 9, Dim::fixed(3))), (std::vector<float>{9, 0, 1, 9, 2, 3}));
  EXPECT_EQ(values_of(ops::concat({x, x}, 1, Dim::fixed(4))), (std::vector<float>{0, 1, 0, 1, 2, 3, 2, 3}));
  EXPECT_EQ(values_of(ops::sum_to(x, {})), (std::vector<float>{6}));
  EXPECT_EQ(values_of(ops::sum_to(x, fixed_dims({1, 2}))), (std::vector<float>{2, 4}));
}

TEST(ShapeOp, Gradients) {
  using Args = std::vector<Expr>;
  expect_gradients({{2, 3, 4}}, [](Graph&, const Args& x) { return ops::permute(x[0], {2, 0, 1}); });
  expect_gradients({{2, 3, 4}}, [](Graph&, const Args& x) { return ops::reshape(x[0], fixed_dims({6, 4})); });
  expect_gradients({{2, 1, 4}}, [](Graph&, const Args& x) { return ops::broadcast_to(x[0], fixed_dims({2, 3, 4})); });
  expect_gradients({{}}, [](Graph&, const Args& x) { return ops::broadcast_to(x[0], fixed_dims({2, 3})); });
  expect_gradients({{2, 7}}, [](Graph&, const Args& x) { return ops::slice(x[0], 1, 1, -1, 2, Dim::fixed(3)); });
  expect_gradients({{2, 7}}, [](Graph&, const Args& x) { return ops::slice(x[0], 1, -1, 2, -2, Dim::fixed(2)); });
  expect_gradients({{2, 3}}, [](Graph&, const Args& x) { return ops::pad(x[0], 1, 2, 1, 0.5, Dim::fixed(6)); });
  expect_gradients({{2, 3}}, [](Graph&, const Args& x) { return ops::pad(x[0], 0, 2, 0, 0.5, Dim::fixed(4)); });
  expect_gradients({{2, 3, 2}, {2, 1, 2}, {2, 2, 2}}, [](Graph&, const Args& x) {
    return ops::concat({x[0], x[1], x[2]}, 1, Dim::fixed(6));
  });
  for (int64_t left = 0; left < 4; ++left) {
    expect_gradients({{2, 5, 3}}, [&](Graph&, const Args& x) { return ops::window(x[0], 1, Dim::fixed(4), left); });
  }
}

TEST(ShapeOp, DynamicSizes) {
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  Binding binding;
  binding.bind(batch, 2);
  binding.bind_lengths(time, {3, 2});
  const Dim longer = time + 2;
  test::expect_gradients_of_dims(
      {{batch, time, Dim::fixed(2)}},
      [&](Graph&, const std::vector<Expr>& x) {
        const Expr padded = ops::pad(x[0], 1, 1, 1, 0.0, longer);
        return ops::permute(ops::window(ops::slice(padded, 1, 1, -1, 1, time), 1, Dim::fixed(3), 1), {1, 0, 3, 2});
      },
      {.binding = binding});
}

/// Sizes beyond a kernel's tiles, and such that fit its packs of 16 bytes, for each size of elements.
TEST(Permute, LargeAxesOfEachType) {
  for (const DType dtype : {DType::kFloat32, DType::kInt64, DType::kBool}) {
    for (const Shape& shape : {Shape{3, 37, 70}, Shape{2, 64, 36}, Shape{5, 4, 4}}) {
      Graph graph;
      const Expr x = ops::input(graph, "x", DType::kFloat32, test::fixed_dims(shape));
      const Tensor values = test::random_tensor(shape, 3);
      for (const std::vector<int>& order : {std::vector<int>{0, 2, 1}, {1, 0, 2}, {2, 1, 0}, {2, 0, 1}}) {
        const Expr permuted = ops::permute(ops::cast(ops::scale(x, 100.0), dtype), order);
        const Tensor given = test::evaluate(ops::cast(permuted, DType::kFloat32), {{"x", values}});
        const Tensor wanted =
            test::evaluate(ops::cast(ops::cast(ops::scale(x, 100.0), dtype), DType::kFloat32), {{"x", values}})
                .permuted(order)
                .clone();
        EXPECT_EQ(given.to_vector<float>(), wanted.to_vector<float>()) << order[0] << order[1];
      }
    }
  }
}

}  // namespace
}  // namespace wende
