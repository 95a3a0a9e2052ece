#include "ops/matmul.h"

#include "base/error.h"
#include "ops/finite_difference.h"
#include "ops/sequence.h"
#include "ops/softmax.h"

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

/// Loss, and gradients of x, w and b, of padded batches on a device.
std::vector<std::vector<float>> padded_products(const std::vector<int32_t>& lengths, Device device) {
  constexpr int64_t kSize = 128;
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const Expr x = ops::parameter(graph, "x", DType::kFloat32, {batch, time, Dim::fixed(kSize)});
  const Expr w = ops::parameter(graph, "w", DType::kFloat32, {Dim::fixed(kSize), Dim::fixed(kSize)});
  const Expr b = ops::parameter(graph, "b", DType::kFloat32, {Dim::fixed(kSize)});
  const Expr y = ops::linear(ops::unary(ops::Unary::kTanh, ops::linear(x, w, b)), w, b);
  const Expr labels = ops::input(graph, "labels", DType::kInt32, {batch, time});
  const Expr loss = ops::sum_all(ops::softmax_cross_entropy(y, labels, ops::sequence_mask(graph, batch, time)));
  std::vector<Fetch> fetches{{loss, {}}};
  for (const Expr& gradient : gradients(loss, {x, w, b})) fetches.push_back({gradient, {}});
  Binding binding;
  binding.bind(batch, static_cast<int64_t>(lengths.size()));
  binding.bind_lengths(time, lengths);
  Tensor frames = test::random_tensor({binding.size(batch), binding.size(time), kSize}, 1);
  for (int64_t i = 0; i < frames.elements(); ++i) {  // what padding holds must not matter
    const int64_t frame = i / kSize;
    const bool padding = frame % binding.size(time) >= lengths[static_cast<size_t>(frame / binding.size(time))];
    if (padding) frames.data<float>()[i] = 1e30f;
  }
  Executor executor(graph, fetches, device);
  executor.bind("x", frames);
  executor.bind("labels", Tensor::zeros(DType::kInt32, {binding.size(batch), binding.size(time)}));
  executor.bind("w", test::random_tensor({kSize, kSize}, 2, -0.1, 0.1));
  executor.bind("b", test::random_tensor({kSize}, 3));
  std::vector<std::vector<float>> results;
  for (int run = 0; run < 3; ++run) {
    results.clear();
    for (const Tensor& tensor : executor.run(binding, {})) results.push_back(tensor.to_vector<float>());
  }
  return results;
}

/// Much padding, which products leave out, and little, which they do not: the same as on the CPU, also when recorded.
TEST(Linear, OfPaddedBatches) {
  for (const std::vector<int32_t>& lengths : {std::vector<int32_t>{12, 1, 1, 1}, {12, 11, 12, 10}, {3, 3}}) {
    const auto wanted = padded_products(lengths, Device::cpu());
    const auto given = padded_products(lengths, test::test_device());
    ASSERT_EQ(given.size(), wanted.size());
    for (size_t k = 0; k < wanted.size(); ++k) {
      ASSERT_EQ(given[k].size(), wanted[k].size());
      for (size_t i = 0; i < wanted[k].size(); ++i) {
        ASSERT_NEAR(given[k][i], wanted[k][i], 1e-4 + 1e-5 * std::fabs(wanted[k][i])) << k << " " << i;
      }
    }
  }
}

}  // namespace
}  // namespace wende
