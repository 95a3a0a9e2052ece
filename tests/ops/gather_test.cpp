#include "ops/gather.h"

#include "base/error.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

test::FiniteDifferenceOptions with_indices(std::vector<int32_t> indices) {
  test::FiniteDifferenceOptions options;
  const auto count = static_cast<int64_t>(indices.size());
  options.other_leaves["i"] = Tensor::of<int32_t>(indices, {count});
  return options;
}

TEST(Gather, ValuesAndRange) {
  Graph graph;
  const Expr table = ops::input(graph, "t", DType::kFloat32, {Dim::fixed(3), Dim::fixed(2)});
  const Expr indices = ops::input(graph, "i", DType::kInt32, {Dim::fixed(2)});
  std::map<std::string, Tensor> leaves{{"t", Tensor::of<float>({1, 2, 3, 4, 5, 6}, {3, 2})},
                                       {"i", Tensor::of<int32_t>({2, 0}, {2})}};
  EXPECT_EQ(test::evaluate(ops::gather(table, indices), leaves).to_vector<float>(), (std::vector<float>{5, 6, 1, 2}));
  leaves["i"] = Tensor::of<int32_t>({2, 3}, {2});
  try {
    test::evaluate(ops::gather(table, indices), leaves);
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kMalformedInput);
    EXPECT_NE(std::string(error.what()).find("index 3 is outside of [0,3)"), std::string::npos) << error.what();
  }
  EXPECT_EQ(test::evaluate(ops::one_hot(indices, Dim::fixed(3)), leaves).to_vector<float>(),
            (std::vector<float>{0, 0, 1, 0, 0, 0}));
}

TEST(Gather, Gradients) {
  test::expect_gradients(
      {{4, 3}},
      [](Graph& graph, const std::vector<Expr>& x) {
        return ops::gather(x[0], ops::input(graph, "i", DType::kInt32, {Dim::fixed(5)}));
      },
      with_indices({1, 3, 1, 0, 1}));
  test::expect_gradients(
      {{3, 4}},
      [](Graph& graph, const std::vector<Expr>& x) {
        return ops::pick_last(x[0], ops::input(graph, "i", DType::kInt32, {Dim::fixed(3)}));
      },
      with_indices({3, 0, 2}));
}

}  // namespace
}  // namespace wende
