#include "ops/finite_difference.h"
#include "ops/matmul.h"
#include "ops/recurrent.h"
#include "ops/sequence.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

using test::expect_gradients_of_dims;

/// Graphs of many ops, with values that are used more than once, take over memory, and have padding.
struct Composed {
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim in = Dim::fixed(3);
  Dim n = Dim::fixed(4);
  Dim classes = Dim::fixed(5);
  test::FiniteDifferenceOptions options;
  Composed() {
    options.binding.bind(batch, 3);
    options.binding.bind_lengths(time, {2, 4, 1});
    options.tolerance = 1e-2;
  }
};

TEST(ComposedGradient, TiedWeightsAndResiduals) {
  Composed c;
  expect_gradients_of_dims(
      {{c.batch, c.time, c.n}, {c.n, c.n}, {c.n}},
      [&](Graph&, const std::vector<Expr>& x) {
        const Expr once = ops::unary(Unary::kTanh, ops::linear(x[0], x[1], x[2]));
        const Expr twice = ops::unary(Unary::kSigmoid, ops::linear(ops::add(once, x[0]), x[1], x[2]));
        return ops::linear(ops::mul(twice, once), x[1], {}, true);
      },
      c.options);
}

TEST(ComposedGradient, CrossEntropyOfMaskedFrames) {
  Composed c;
  c.options.other_leaves["labels"] = Tensor::of<int32_t>({0, 4, 0, 0, 1, 2, 3, 4, 2, 0, 0, 0}, {3, 4});
  expect_gradients_of_dims(
      {{c.batch, c.time, c.in}, {c.in, c.n}, {c.n, c.classes}, {c.classes}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr labels = ops::input(graph, "labels", DType::kInt32, {c.batch, c.time});
        const Expr hidden = ops::unary(Unary::kTanh, ops::linear(x[0], x[1]));
        const Expr logits = ops::linear(hidden, x[2], x[3]);
        return ops::softmax_cross_entropy(logits, labels, ops::sequence_mask(graph, c.batch, c.time));
      },
      c.options);
}

TEST(ComposedGradient, BothDirectionsOfLstmsSideBySide) {
  Composed c;
  const Dim n4 = Dim::fixed(16);
  const Dim both = Dim::fixed(8);
  expect_gradients_of_dims(
      {{c.time, c.batch, c.in}, {c.in, n4}, {c.n, n4}, {both, c.n}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr lengths = ops::lengths(graph, c.time, c.batch);
        const Expr z = ops::linear(x[0], x[1]);
        const Expr forward = ops::lstm(z, x[2], lengths, {}, {}, 1, ops::GateOrder::kNative, 0.0).output;
        const Expr backward = ops::lstm(z, x[2], lengths, {}, {}, -1, ops::GateOrder::kTf, 1.0).output;
        return ops::linear(ops::concat({forward, backward}, 2, both), x[3]);
      },
      c.options);
}

TEST(ComposedGradient, OneStateOfAnEncoderStartsADecoder) {
  Composed c;
  const Dim n4 = Dim::fixed(16);
  expect_gradients_of_dims(
      {{c.time, c.batch, n4}, {c.n, n4}, {c.time, c.batch, n4}},
      [&](Graph& graph, const std::vector<Expr>& x) {
        const Expr lengths = ops::lengths(graph, c.time, c.batch);
        const auto encoder = ops::lstm(x[0], x[1], lengths, {}, {}, 1, ops::GateOrder::kNative, 0.0);
        return ops::lstm(x[2], x[1], lengths, encoder.last_c, encoder.last_h, -1, ops::GateOrder::kNative, 0.0).output;
      },
      c.options);
}

}  // namespace
}  // namespace wende
