#include "ops/dropout.h"

#include "device/philox.h"
#include "graph/row_identity.h"
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
  const Philox philox = Philox::of_op(5, 42, 9 * 256 * 7700);
  int kept = 0;
  for (size_t i = 0; i < first.size(); ++i) {
    ASSERT_EQ(first[i], philox.uniform(i) >= 0.25f ? static_cast<float>(1 / 0.75) : 0.0f) << i;
    kept += first[i] > 0.0f;
  }
  EXPECT_NEAR(kept / 7700.0, 0.75, 0.02);
  EXPECT_NE(first, values[1].to_vector<float>());
  EXPECT_EQ(first, test::evaluate({mask}, {}, {}, options)[0].to_vector<float>());
  options.step = 10;
  EXPECT_NE(first, test::evaluate({mask}, {}, {}, options)[0].to_vector<float>());
}

/// floor(0.9 + tf.random_uniform((1, 1, 9), seed=1791095845)), graph seed 42, in runs 2 and 9 of a session of
/// TensorFlow 2.15.
TEST(Dropout, MaskOfFixedSizeIsTensorFlows) {
  Graph graph;
  const Expr mask = ops::dropout_mask(graph, {Dim::fixed(1), Dim::fixed(1), Dim::fixed(9)}, 0.9, 1791095845);
  RunOptions options;
  options.seed = 42;
  const auto dropped = [&](uint64_t step) {
    options.step = step;
    std::vector<int> indices;
    const auto values = test::evaluate({mask}, {}, {}, options)[0].to_vector<float>();
    for (int i = 0; i < 9; ++i) {
      if (values[static_cast<size_t>(i)] == 0.0f) indices.push_back(i);
    }
    return indices;
  };
  EXPECT_EQ(dropped(2), (std::vector<int>{5, 7}));
  EXPECT_EQ(dropped(3), std::vector<int>());
  EXPECT_EQ(dropped(9), (std::vector<int>{1, 7}));
}

/// Masks [B,T,F] of a batch: sequence by sequence the same, whatever the batch, its padding and the order of its rows.
TEST(Dropout, MaskBelongsToTheSequence) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const Dim feature = Dim::fixed(7);
  const Expr mask = ops::dropout_mask(graph, {batch, time, feature}, 0.5, 42);
  const Expr time_major = ops::dropout_mask(graph, {time, batch, feature}, 0.5, 42);
  const Expr normal = ops::random_normal(graph, {batch, time, feature}, 1.0, 3);
  const auto run = [&](const cpu::RandomRows& rows, int64_t frames) {
    Binding binding;
    binding.bind(batch, static_cast<int64_t>(rows.size()));
    binding.bind(time, frames);
    bind_rows(binding, rows);
    Executor executor(graph, {{mask, {}}, {time_major, {}}, {normal, {}}}, test::test_device());
    std::vector<Tensor> values;
    for (const Tensor& value : executor.run(binding)) values.push_back(value.clone());
    return values;
  };
  const auto row = [](const Tensor& x, int64_t b, int64_t frames) {
    return x.sliced(0, b, b + 1).sliced(1, 0, frames).as_contiguous().to_vector<float>();
  };
  const std::vector<Tensor> three = run({{{11, 0}}, {{uint64_t{5} << 32, 0}}, {{13, 0}}}, 6);
  const std::vector<Tensor> two = run({{{13, 0}}, {{11, 0}}}, 9);
  for (const int i : {0, 2}) {
    EXPECT_EQ(row(three[i], 0, 6), row(two[i], 1, 6));
    EXPECT_EQ(row(three[i], 2, 6), row(two[i], 0, 6));
    EXPECT_NE(row(three[i], 0, 6), row(three[i], 1, 6));
    EXPECT_NE(row(three[i], 0, 6), row(three[i], 2, 6));
  }
  EXPECT_EQ(three[1].permuted({1, 0, 2}).as_contiguous().to_vector<float>(), three[0].to_vector<float>());
  // Sequences one after the other in a row: each keeps its own mask.
  const std::vector<Tensor> joined = run({{{13, 0}, {11, 4}}}, 10);
  EXPECT_EQ(row(joined[0], 0, 4), row(three[0], 2, 4));
  EXPECT_EQ(joined[0].sliced(1, 4, 10).as_contiguous().to_vector<float>(), row(three[0], 0, 6));
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
