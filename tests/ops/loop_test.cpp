#include "ops/loop.h"

#include "ops/finite_difference.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/recurrent.h"
#include "ops/sequence.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

using ops::LoopBuilder;
using test::expect_gradients_of_dims;

struct Sizes {
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim memory = Dim::dynamic("memory");
  Dim in = Dim::fixed(2);
  Dim n = Dim::fixed(3);
  test::FiniteDifferenceOptions options;
  explicit Sizes(std::vector<int32_t> lengths = {4, 4}) {
    options.binding.bind(batch, 2);
    options.binding.bind_lengths(time, std::move(lengths));
    options.binding.bind_lengths(memory, {3, 2});
    options.tolerance = 5e-3;
  }
};

/// h_t = tanh(x_t W + h_{t-1} U + b): outputs, and the last state added to each of them.
Expr simple_rnn(Graph& graph, const Sizes& s, const std::vector<Expr>& x, bool reverse) {
  LoopBuilder loop(graph, s.time, reverse);
  const Expr x_t = loop.sequence(x[0]);
  const Expr h = loop.state({DType::kFloat32, {s.batch, s.n}});
  const Expr z = ops::linear(x_t, loop.body().capture(x[1]), loop.body().capture(x[3]));
  const Expr next = ops::unary(ops::Unary::kTanh, ops::add(z, ops::linear(h, loop.body().capture(x[2]))));
  loop.set_state(h, next, x[4]);
  loop.finish();
  return ops::add(loop.stack(next), ops::expand_dims(loop.final_state(h), 0));
}

std::vector<std::vector<Dim>> rnn_arguments(const Sizes& s) {
  return {{s.time, s.batch, s.in}, {s.in, s.n}, {s.n, s.n}, {s.n}, {s.batch, s.n}};
}

class LoopGradient : public testing::TestWithParam<bool> {};

TEST_P(LoopGradient, OfARecurrence) {
  const Sizes s;
  expect_gradients_of_dims(
      rnn_arguments(s), [&](Graph& graph, const std::vector<Expr>& x) { return simple_rnn(graph, s, x, GetParam()); },
      s.options);
}

TEST_P(LoopGradient, OfOneStep) {
  const Sizes s({1, 1});
  expect_gradients_of_dims(
      rnn_arguments(s), [&](Graph& graph, const std::vector<Expr>& x) { return simple_rnn(graph, s, x, GetParam()); },
      s.options);
}

TEST_P(LoopGradient, OfAttention) {
  const Sizes s;
  expect_gradients_of_dims(
      {{s.time, s.batch, s.n}, {s.batch, s.memory, s.n}, {s.n, s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        LoopBuilder loop(graph, s.time, GetParam());
        const Expr memory = loop.body().capture(x[1]);
        const Expr attended = loop.state({DType::kFloat32, {s.batch, s.n}});
        const Expr query = ops::add(loop.sequence(x[0]), ops::linear(attended, loop.body().capture(x[2])));
        const Expr energy = ops::batch_matmul(ops::expand_dims(query, 1), memory, false, true);
        const Expr weights = ops::softmax(energy);
        const Expr next = ops::squeeze(ops::batch_matmul(weights, memory), 1);
        loop.set_state(attended, next, {});
        loop.keep(weights);
        loop.finish();
        const Expr sum = ops::reduce(ops::Reduction::kSum, loop.stack(next), {2}, true);  // [T,B,1]
        return ops::add(loop.stack(weights), ops::expand_dims(sum, 3));                   // [T,B,1,M]
      },
      s.options);
}

INSTANTIATE_TEST_SUITE_P(Directions, LoopGradient, testing::Bool());

TEST(Loop, EqualsTheRecurrentOp) {
  const Sizes s;
  Graph graph;
  std::vector<Expr> x;
  std::map<std::string, Tensor> leaves;
  for (const std::vector<Dim>& dims : rnn_arguments(s)) {
    const std::string name = "x" + std::to_string(x.size());
    x.push_back(ops::parameter(graph, name, DType::kFloat32, dims));
    leaves[name] = test::random_tensor(s.options.binding.shape(dims), static_cast<uint32_t>(x.size()));
  }
  for (const bool reverse : {false, true}) {
    const auto reference = ops::simple_rnn(ops::linear(x[0], x[1], x[3]), x[2], ops::lengths(graph, s.time, s.batch),
                                           x[4], reverse ? -1 : 1);
    const Expr expected = ops::add(reference.output, ops::expand_dims(reference.last_h, 0));
    const auto values = test::evaluate({simple_rnn(graph, s, x, reverse), expected}, leaves, s.options.binding);
    const auto a = values[0].to_vector<float>();
    const auto b = values[1].to_vector<float>();
    for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-6);
  }
}

TEST(Loop, WithoutStepsGivesTheInitialState) {
  const Sizes s({0, 0});
  Graph graph;
  const Expr x = ops::input(graph, "x", DType::kFloat32, {s.time, s.batch, s.n});
  const Expr first = ops::input(graph, "first", DType::kFloat32, {s.batch, s.n});
  LoopBuilder loop(graph, s.time);
  const Expr state = loop.state(first.type());
  loop.set_state(state, ops::add(state, loop.sequence(x)), first);
  loop.finish();
  const Tensor start = test::random_tensor({2, 3}, 1);
  const auto values =
      test::evaluate({loop.final_state(state), loop.stack(state)},
                     {{"x", Tensor::zeros(DType::kFloat32, {0, 2, 3})}, {"first", start}}, s.options.binding);
  EXPECT_EQ(values[0].to_vector<float>(), start.to_vector<float>());
  EXPECT_EQ(values[1].shape(), (Shape{0, 2, 3}));
}

TEST(Loop, StepIndexAndShiftedSequences) {
  const Sizes s;
  Graph graph;
  const Expr x = ops::input(graph, "x", DType::kInt32, {s.time});
  const Expr boundary = ops::constant(graph, 7, DType::kInt32);
  LoopBuilder loop(graph, s.time);
  const Expr sum = ops::add(loop.sequence(x, -1, boundary), ops::binary(ops::Binary::kMul, loop.step(), loop.step()));
  const Expr before = loop.state({DType::kInt32, {}});
  loop.set_state(before, loop.sequence(x), boundary);  // a state that only delays a sequence
  loop.keep(sum);
  loop.finish();
  const auto values = test::evaluate({loop.stack(sum), loop.stack(before), loop.final_state(before)},
                                     {{"x", Tensor::of<int32_t>({10, 20, 30, 40}, {4})}}, s.options.binding);
  EXPECT_EQ(values[0].to_vector<int32_t>(), (std::vector<int32_t>{7, 11, 24, 39}));
  EXPECT_EQ(values[1].to_vector<int32_t>(), (std::vector<int32_t>{7, 10, 20, 30}));
  EXPECT_EQ(values[2].to_vector<int32_t>(), (std::vector<int32_t>{40}));
}

TEST(Loop, GradientsOfShiftedStepsAndGatheredRows) {
  const Sizes s;
  const Dim rows = Dim::fixed(5);
  test::FiniteDifferenceOptions options = s.options;
  options.other_leaves["labels"] = Tensor::of<int32_t>({0, 4, 4, 2, 1, 4, 0, 3}, {4, 2});
  expect_gradients_of_dims(
      {{rows, s.n}, {s.time, s.batch, s.n}, {s.batch, s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr labels = ops::input(graph, "labels", DType::kInt32, {s.time, s.batch});
        LoopBuilder loop(graph, s.time);
        const Expr state = loop.state({DType::kFloat32, {s.batch, s.n}});
        const Expr embedded = ops::gather(loop.body().capture(x[0]), loop.sequence(labels));
        const Expr next = ops::mul(ops::add(state, embedded), loop.sequence(x[1]));
        loop.set_state(state, next, x[2]);
        loop.finish();
        return ops::add(loop.stack(state), ops::shift_steps(x[1], x[2], 1));
      },
      options);
}

TEST(Loop, InsideALoop) {
  const Sizes s;
  expect_gradients_of_dims(
      {{s.time, s.batch, s.n}, {s.memory, s.batch, s.n}, {s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        LoopBuilder outer(graph, s.time);
        const Expr state = outer.state({DType::kFloat32, {s.batch, s.n}});
        LoopBuilder inner(outer.body(), s.memory);
        const Expr h = inner.state({DType::kFloat32, {s.batch, s.n}});
        const Expr scale = ops::expand_dims(inner.body().capture(x[2]), 0);
        const Expr part = ops::mul(ops::add(h, inner.sequence(outer.body().capture(x[1]))), scale);
        inner.set_state(h, ops::unary(ops::Unary::kTanh, part), state);
        inner.finish();
        const Expr next = ops::add(inner.final_state(h), outer.sequence(x[0]));
        outer.set_state(state, next, {});
        outer.finish();
        return outer.stack(next);
      },
      s.options);
}

TEST(Loop, GradientOfOneThatStops) {
  const Sizes s;
  expect_gradients_of_dims(
      {{s.batch, s.n}, {s.n, s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        LoopBuilder loop(graph, s.time);
        const Expr h = loop.state({DType::kFloat32, {s.batch, s.n}});
        const Expr next = ops::unary(ops::Unary::kTanh, ops::linear(h, loop.body().capture(x[1])));
        loop.set_state(h, next, x[0]);
        const Expr last = ops::constant(loop.body(), 1, DType::kInt32);
        loop.stop_after(ops::binary(ops::Binary::kGreaterEqual, loop.step(), last));
        loop.finish();
        return ops::add(loop.stack(next), ops::expand_dims(loop.final_state(h), 0));
      },
      s.options);
}

TEST(Loop, InvariantsAreComputedOutside) {
  const Sizes s;
  Graph graph;
  const Expr w = ops::input(graph, "w", DType::kFloat32, {s.n, s.in});
  LoopBuilder loop(graph, s.time);
  const NodeId before = graph.size();
  const Expr transposed = ops::permute(loop.body().capture(w), {1, 0});
  EXPECT_EQ(graph.size(), before + 1);
  EXPECT_TRUE(loop.body().captured(transposed).defined());
}

}  // namespace
}  // namespace wende
