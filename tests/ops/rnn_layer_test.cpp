#include "ops/rnn_layer.h"

#include "ops/finite_difference.h"
#include "ops/matmul.h"
#include "ops/recurrent.h"
#include "ops/sequence.h"

namespace wende {
namespace {

struct Case {
  std::string name;
  std::vector<int> directions{1};
  bool lstm = true;
  bool tf_order = false;
  double forget_bias = 0.0;
  bool initial_states = false;
  bool last_states = false;
  bool output = true;
  std::vector<int32_t> lengths{4, 7, 1, 7, 5};
  int64_t expected_nodes_less = 0;  ///< with gradients
};

/// One or two recurrent layers on x [T,B,5], n = 6, and gradients of a loss of their outputs and last states.
class RnnLayers : public testing::TestWithParam<Case> {
 protected:
  RnnLayers() {
    binding.bind(batch, static_cast<int64_t>(GetParam().lengths.size()));
    binding.bind_lengths(time, GetParam().lengths);
    for (size_t i = 0; i < GetParam().directions.size(); ++i) add_layer(i);
    const std::vector<Expr> grads = gradients(loss, wrt);
    fetched.insert(fetched.end(), grads.begin(), grads.end());
  }

  Expr leaf(const std::string& name, const std::vector<Dim>& dims) {
    const Expr expr = ops::parameter(graph, name, DType::kFloat32, dims);
    leaves[name] = test::random_tensor(binding.shape(dims), static_cast<uint32_t>(leaves.size() + 1), -0.8, 0.8);
    return expr;
  }

  Expr weighted_sum(Expr x, const std::string& name) {
    std::vector<int> axes;
    for (int axis = 0; axis < x.rank(); ++axis) axes.push_back(axis);
    return ops::reduce(Reduction::kSum, ops::mul(x, leaf(name, x.dims())), axes);
  }

  void add_to_loss(Expr term) { loss = loss.defined() ? ops::add(loss, term) : term; }

  void add_layer(size_t i) {
    const Case& c = GetParam();
    const std::string tag = std::to_string(i);
    const Dim n = Dim::fixed(6);
    const Dim gates = Dim::fixed(c.lstm ? 24 : 6);
    const Dim inner = Dim::fixed(5);
    if (i == 0) x = leaf("x", {time, batch, inner});
    const Expr w = leaf("w" + tag, {inner, gates});
    const Expr w_re = leaf("w_re" + tag, {n, gates});
    const Expr bias = leaf("bias" + tag, {gates});
    const Expr h0 = c.initial_states ? leaf("h0" + tag, {batch, n}) : Expr();
    const Expr c0 = c.initial_states && c.lstm ? leaf("c0" + tag, {batch, n}) : Expr();
    const Expr lengths = ops::lengths(graph, time, batch);
    const Expr z = ops::linear(x, w, bias);
    const ops::RecurrentState state =
        c.lstm ? ops::lstm(z, w_re, lengths, c0, h0, c.directions[i],
                           c.tf_order ? ops::GateOrder::kTf : ops::GateOrder::kNative, c.forget_bias)
               : ops::simple_rnn(z, w_re, lengths, h0, c.directions[i]);
    if (c.output) {
      fetched.push_back(state.output);
      add_to_loss(weighted_sum(state.output, "dy" + tag));
    }
    if (c.last_states) {
      fetched.push_back(state.last_h);
      add_to_loss(weighted_sum(state.last_h, "dh" + tag));
      if (c.lstm) add_to_loss(weighted_sum(state.last_c, "dc" + tag));
    }
    wrt.insert(wrt.end(), {w, w_re, bias});
    if (i == 0) wrt.push_back(x);
    if (h0.defined()) wrt.push_back(h0);
    if (c0.defined()) wrt.push_back(c0);
  }

  std::vector<Tensor> run(const std::vector<Expr>& what, Device device) {
    std::vector<Fetch> fetches;
    for (const Expr& expr : what) fetches.push_back({expr, {}});
    Executor executor(graph, fetches, device);
    for (const std::string& name : executor.leaf_names()) executor.bind(name, leaves.at(name));
    std::vector<Tensor> results;
    for (int again = 0; again < 2; ++again) {  // what stays from run to run must not matter
      results.clear();
      for (const Tensor& tensor : executor.run(binding)) results.push_back(tensor.clone());
    }
    nodes = executor.node_count();
    return results;
  }

  void expect_same(const std::vector<Tensor>& expected, const std::vector<Tensor>& values) {
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) {
      ASSERT_EQ(values[i].shape(), expected[i].shape());
      for (int64_t k = 0; k < values[i].elements(); ++k) {
        const float wanted = expected[i].data<float>()[k];
        EXPECT_NEAR(values[i].data<float>()[k], wanted, 2e-6 + 1e-5 * std::abs(wanted)) << "value " << i << " at " << k;
      }
    }
  }

  Graph graph;
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Binding binding;
  std::map<std::string, Tensor> leaves;
  Expr x, loss;
  std::vector<Expr> wrt, fetched;
  int64_t nodes = 0;
};

TEST_P(RnnLayers, AsOwnKernelsOnTheCpu) {
  if (test::test_device().is_cpu() || !cuda::has_rnn_library()) GTEST_SKIP() << "no cuDNN here";
  const std::vector<Tensor> expected = run(fetched, Device::cpu());
  const std::vector<Expr> forward(fetched.begin(), fetched.begin() + 1);
  run(fetched, test::test_device());
  const int64_t nodes_before = nodes;
  run(forward, test::test_device());
  const int64_t forward_before = nodes;
  ops::offer_rnn_layers(graph);
  expect_same(expected, run(fetched, test::test_device()));
  EXPECT_EQ(nodes_before - nodes, GetParam().expected_nodes_less);
  expect_same({expected[0]}, run(forward, test::test_device()));
  EXPECT_EQ(forward_before - nodes, 1);
  expect_same(expected, run(fetched, test::test_device()));
}

// As with gradients without constraints beside those of the whole objective: a program takes one of them.
TEST_P(RnnLayers, ASecondGradientOfTheSameLayers) {
  if (test::test_device().is_cpu() || !cuda::has_rnn_library()) GTEST_SKIP() << "no cuDNN here";
  const std::vector<Expr> other = gradients(ops::scale(loss, 3.0), wrt);
  const std::vector<Tensor> expected = run(other, Device::cpu());
  ops::offer_rnn_layers(graph);
  expect_same(expected, run(other, test::test_device()));
  run(fetched, test::test_device());
  ops::offer_rnn_layers(graph);
  expect_same(expected, run(other, test::test_device()));
}

// Batches that cuDNN 9 refuses: asked of the library itself, whose descriptors need no GPU.
TEST(RnnLibrary, TakesNoEmptySequencesAndNoMoreFramesThanItSupports) {
  if (test::test_device().is_cpu() || !cuda::has_rnn_library()) GTEST_SKIP() << "no cuDNN here";
  EXPECT_TRUE(cuda::RnnLayer::runs_beside({5, 7}, 65535));
  EXPECT_FALSE(cuda::RnnLayer::runs_beside({5, 7}, 65536));
  EXPECT_FALSE(cuda::RnnLayer::runs_beside({0, 7}, 7));
}

// A layer: product, unit, unit_grad, dx and dw in two nodes. Two: the sum of their dx stays.
INSTANTIATE_TEST_SUITE_P(
    Cudnn, RnnLayers,
    testing::Values(
        Case{.name = "Forwards", .expected_nodes_less = 3},
        Case{.name = "Backwards", .directions = {-1}, .expected_nodes_less = 3},
        Case{.name = "TfOrder",
             .tf_order = true,
             .forget_bias = 1.0,
             .initial_states = true,
             .last_states = true,
             .expected_nodes_less = 3},
        Case{.name = "StatesBackwards",
             .directions = {-1},
             .initial_states = true,
             .last_states = true,
             .expected_nodes_less = 3},
        Case{.name = "LastStateOnly", .last_states = true, .output = false, .expected_nodes_less = 3},
        Case{.name = "Tanh", .lstm = false, .initial_states = true, .last_states = true, .expected_nodes_less = 3},
        Case{.name = "TanhBackwards", .directions = {-1}, .lstm = false, .expected_nodes_less = 3},
        Case{.name = "Pair", .directions = {1, -1}, .expected_nodes_less = 8},
        Case{.name = "PairOfStates",
             .directions = {-1, 1},
             .initial_states = true,
             .last_states = true,
             .lengths = {3, 9, 9, 2},
             .expected_nodes_less = 8},
        Case{.name = "EmptySequences",
             .initial_states = true,
             .last_states = true,
             .lengths = {0, 6, 0, 2},
             .expected_nodes_less = 3},
        Case{.name = "EmptySequencesTanh", .lstm = false, .lengths = {0, 6, 3}, .expected_nodes_less = 3},
        Case{.name = "EmptySequencesInPairs", .directions = {1, -1}, .lengths = {5, 0, 2}, .expected_nodes_less = 8},
        Case{.name = "NoFrames", .directions = {1, -1}, .lengths = {0, 0}, .expected_nodes_less = 8},
        Case{.name = "OneFrame", .directions = {1, -1}, .lengths = {1}, .expected_nodes_less = 8}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace wende
