#include "ops/found_size.h"

#include <gtest/gtest.h>

#include "graph/executor.h"
#include "ops/beam_search.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/sequence.h"

namespace wende {
namespace {

/// The lengths of an axis are numbers of the input: what has this axis gets its size in each run.
TEST(FoundSize, EachRunFindsItsOwn) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim longest = Dim::fixed(5, Dim::Kind::kSpatial);
  const Dim time = Dim::dynamic("found");
  const Expr lengths = ops::input(graph, "lengths", DType::kInt32, {batch});
  const Expr found = ops::found_lengths(ops::add(lengths, ops::constant(graph, 1, DType::kInt32)), time);
  const Expr frames = ops::cut(ops::range(graph, longest), 0, time);
  const Expr doubled = ops::add(frames, ops::range(graph, time));
  Executor executor(graph, {{ops::sequence_mask(graph, batch, time), {}}, {doubled, {}}, {found, {}}});
  const std::vector<std::vector<int32_t>> runs{{2, 0}, {0, 0}, {1, 3}};
  for (const std::vector<int32_t>& given : runs) {
    Binding binding;
    binding.bind(batch, 2);
    executor.bind("lengths", Tensor::of<int32_t>(given, {2}));
    const std::vector<Tensor> values = executor.run(binding);
    const int64_t size = std::max(given[0], given[1]) + 1;
    ASSERT_EQ(values[0].shape(), (Shape{2, size}));
    for (int64_t t = 0; t < size; ++t) {
      for (int64_t b = 0; b < 2; ++b) {
        EXPECT_EQ(values[0].data<bool>()[b * size + t], t <= given[static_cast<size_t>(b)]);
      }
      EXPECT_EQ(values[1].data<int32_t>()[t], 2 * t);
    }
    EXPECT_EQ(executor.binding().size(time), size);
  }
}

TEST(BeamSearch, FirstStepTiesAndPlacesWithoutCandidate) {
  Graph graph;
  const Dim rows = Dim::fixed(3, Dim::Kind::kSpatial);
  const Dim labels = Dim::fixed(2);
  const Expr scores = ops::input(graph, "scores", DType::kFloat32, {rows, labels});
  const Expr step = ops::input(graph, "step", DType::kInt32, {});
  const ops::BeamStep best = ops::beam_step(scores, step, 3, 3, rows, false);
  Executor executor(graph, {{best.labels, {}}, {best.rows, {}}, {best.valid, {}}});
  executor.bind("scores", Tensor::of<float>({1, 2, 2, 0, 3, 2}, {3, 2}));
  using Ints = std::vector<int32_t>;
  executor.bind("step", Tensor::of<int32_t>({0}, {}));
  std::vector<Tensor> values = executor.run(Binding());
  EXPECT_EQ(values[0].to_vector<int32_t>(), (Ints{1, 0, 0})) << "two labels for three places";
  EXPECT_EQ(values[1].to_vector<int32_t>(), (Ints{0, 0, 0}));
  EXPECT_TRUE(values[2].data<bool>()[1]);
  EXPECT_FALSE(values[2].data<bool>()[2]);
  executor.bind("step", Tensor::of<int32_t>({4}, {}));
  values = executor.run(Binding());
  EXPECT_EQ(values[0].to_vector<int32_t>(), (Ints{0, 1, 0})) << "of equal scores the first";
  EXPECT_EQ(values[1].to_vector<int32_t>(), (Ints{2, 0, 1}));
}

}  // namespace
}  // namespace wende
