#include "ops/recurrent.h"

#include "ops/finite_difference.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {
namespace {

using test::expect_gradients_of_dims;

/// y, last_h and last_c (if any) side by side, so that all their gradients are checked at once.
Expr all_of(const ops::RecurrentState& state) {
  Expr sum = ops::add(state.output, ops::expand_dims(state.last_h, 0));
  return state.last_c.defined() ? ops::add(sum, ops::expand_dims(state.last_c, 0)) : sum;
}

struct Sizes {
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim n = Dim::fixed(3);
  test::FiniteDifferenceOptions options;
  Sizes() {
    options.binding.bind(batch, 3);
    options.binding.bind_lengths(time, {2, 4, 0});
    options.tolerance = 5e-3;
  }
};

class RecurrentGradient : public testing::TestWithParam<int> {};

TEST_P(RecurrentGradient, Lstm) {
  const Sizes s;
  const Dim n4 = Dim::fixed(12);
  expect_gradients_of_dims(
      {{s.time, s.batch, n4}, {s.n, n4}, {s.batch, s.n}, {s.batch, s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr lengths = ops::lengths(graph, s.time, s.batch);
        return all_of(ops::lstm(x[0], x[1], lengths, x[2], x[3], GetParam(), ops::GateOrder::kTf, 1.0));
      },
      s.options);
}

TEST_P(RecurrentGradient, LstmOutputOnly) {
  const Sizes s;
  const Dim n4 = Dim::fixed(12);
  expect_gradients_of_dims(
      {{s.time, s.batch, n4}, {s.n, n4}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr lengths = ops::lengths(graph, s.time, s.batch);
        return ops::lstm(x[0], x[1], lengths, {}, {}, GetParam(), ops::GateOrder::kNative, 0.0).output;
      },
      s.options);
}

TEST_P(RecurrentGradient, Gru) {
  const Sizes s;
  const Dim n2 = Dim::fixed(6);
  expect_gradients_of_dims(
      {{s.time, s.batch, n2}, {s.time, s.batch, s.n}, {s.n, n2}, {s.n, s.n}, {s.batch, s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr lengths = ops::lengths(graph, s.time, s.batch);
        return all_of(ops::gru(x[0], x[1], x[2], x[3], lengths, x[4], GetParam()));
      },
      s.options);
}

TEST_P(RecurrentGradient, SimpleRnn) {
  const Sizes s;
  expect_gradients_of_dims(
      {{s.time, s.batch, s.n}, {s.n, s.n}, {s.batch, s.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr lengths = ops::lengths(graph, s.time, s.batch);
        return all_of(ops::simple_rnn(x[0], x[1], lengths, x[2], GetParam()));
      },
      s.options);
}

INSTANTIATE_TEST_SUITE_P(Directions, RecurrentGradient, testing::Values(1, -1));

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

TEST(Gru, OneUnitByHand) {
  Graph graph;
  const Dim batch = Dim::batch();
  const Dim time = Dim::dynamic("time");
  const Dim n = Dim::fixed(1);
  const Dim n2 = Dim::fixed(2);
  Binding binding;
  binding.bind(batch, 1);
  binding.bind_lengths(time, {2});
  const Expr y = ops::gru(ops::input(graph, "zg", DType::kFloat32, {time, batch, n2}),
                          ops::input(graph, "zc", DType::kFloat32, {time, batch, n}),
                          ops::parameter(graph, "wg", DType::kFloat32, {n, n2}),
                          ops::parameter(graph, "wc", DType::kFloat32, {n, n}), ops::lengths(graph, time, batch), {}, 1)
                     .output;
  const auto values = test::evaluate(y,
                                     {{"zg", Tensor::of<float>({0.3f, -0.2f, 0.5f, 0.1f}, {2, 1, 2})},
                                      {"zc", Tensor::of<float>({0.7f, -0.4f}, {2, 1, 1})},
                                      {"wg", Tensor::of<float>({0.6f, -0.9f}, {1, 2})},
                                      {"wc", Tensor::of<float>({1.1f}, {1, 1})}},
                                     binding)
                          .to_vector<float>();
  const double h1 = (1 - sigmoid(-0.2)) * std::tanh(0.7);
  const double r = sigmoid(0.5 + 0.6 * h1);
  const double u = sigmoid(0.1 - 0.9 * h1);
  const double h2 = u * h1 + (1 - u) * std::tanh(-0.4 + 1.1 * r * h1);
  EXPECT_NEAR(values[0], h1, 1e-6);
  EXPECT_NEAR(values[1], h2, 1e-6);
}

}  // namespace
}  // namespace wende
