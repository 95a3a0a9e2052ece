#include "ops/dropout.h"

#include "device/philox.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

TEST(Dropout, MaskFollowsSeedStepAndKey) {
  Graph graph;
  const std::vector<Dim> dims{Dim::fixed(100), Dim::fixed(77)};
  const Expr mask = ops::dropout_mask(graph, dims, 0.75, 42);
  const Expr other_key = ops::dropout_mask(graph, dims, 0.75, 43);
  RunOptions options;
  options.seed = 5;
  options.step = 9;
  const auto values = test::evaluate({mask, other_key}, {}, {}, options);
  const auto first = values[0].to_vector<float>();
  const Philox philox = Philox::keyed(5, 9, 42);
  int kept = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    ASSERT_EQ(first[i], philox.uniform(i) < 0.75f ? static_cast<float>(1 / 0.75) : 0.0f) << i;
    kept += first[i] > 0.0f;
  }
  EXPECT_NEAR(kept / 7700.0, 0.75, 0.02);
  EXPECT_NE(first, values[1].to_vector<float>());
  EXPECT_EQ(first, test::evaluate({mask}, {}, {}, options)[0].to_vector<float>());
  options.step = 10;
  EXPECT_NE(first, test::evaluate({mask}, {}, {}, options)[0].to_vector<float>());
}

TEST(Random, Moments) {
  Graph graph;
  const std::vector<Dim> dims{Dim::fixed(20001)};
  const auto values =
      test::evaluate({ops::random_normal(graph, dims, 2.0, 1), ops::random_uniform(graph, dims, -1, 3, 2)});
  for (const auto& [tensor, mean, deviation] :
       {std::tuple{values[0], 0.0, 2.0}, std::tuple{values[1], 1.0, 4 / std::sqrt(12.0)}}) {
    double sum = 0, squares = 0;
    for (const float x : tensor.to_vector<float>()) sum += x, squares += double{x} * x;
    sum /= 20001, squares /= 20001;
    EXPECT_NEAR(sum, mean, 0.05);
    EXPECT_NEAR(std::sqrt(squares - sum * sum), deviation, 0.05);
  }
}

}  // namespace
}  // namespace wende
