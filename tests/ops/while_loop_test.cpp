#include "ops/while_loop.h"

#include "ops/dropout.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

/// Doubles x until its sum is above 100; the number of steps is found on the device.
TEST(WhileLoop, EndsByWhatItComputed) {
  Graph graph;
  const Expr x = ops::input(graph, "x", DType::kFloat32, {Dim::fixed(3)});
  const Expr one = ops::constant(graph, 1.0, DType::kInt32);
  const auto results = ops::while_loop(
      graph, {x, ops::constant(graph, 0.0, DType::kInt32)},
      [&](const std::vector<Expr>& state) {
        return ops::binary(Binary::kLess, ops::sum_all(state[0]), ops::constant(graph, 100.0));
      },
      [&](const std::vector<Expr>& state) {
        return std::vector<Expr>{ops::add(state[0], state[0]), ops::add(state[1], one)};
      });
  for (const float start : {1.0f, 4.0f, 50.0f}) {
    const auto values = test::evaluate({results[0], results[1]}, {{"x", Tensor::of<float>({start, start, 0.0f}, {3})}});
    int steps = 0;
    float value = start;
    for (; 2 * value < 100.0f; ++steps) value *= 2;
    EXPECT_EQ(values[0].to_vector<float>(), (std::vector<float>{value, value, 0.0f}));
    EXPECT_EQ(values[1].to_vector<int32_t>(), std::vector<int32_t>{steps});
  }
}

/// New random numbers in each iteration, the same in each run of a step.
TEST(WhileLoop, RandomNumbersOfEachIteration) {
  Graph graph;
  const Expr zero = ops::constant(graph, 0.0);
  const Expr one = ops::constant(graph, 1.0);
  const auto results = ops::while_loop(
      graph, {zero, zero, zero},
      [&](const std::vector<Expr>& state) { return ops::binary(Binary::kLess, state[0], ops::constant(graph, 2.0)); },
      [&](const std::vector<Expr>& state) {
        return std::vector<Expr>{ops::add(state[0], one), state[2], ops::random_uniform(graph, {}, 0.0, 1.0, 9, false)};
      });
  RunOptions options;
  options.seed = 4;
  const auto numbers = [&](uint64_t step) {
    options.step = step;
    const auto values = test::evaluate({results[1], results[2]}, {}, {}, options);
    return std::vector<float>{values[0].to_vector<float>()[0], values[1].to_vector<float>()[0]};
  };
  const auto first = numbers(1);
  EXPECT_NE(first[0], first[1]);
  EXPECT_EQ(first, numbers(1));
  EXPECT_NE(first, numbers(2));
}

}  // namespace
}  // namespace wende
