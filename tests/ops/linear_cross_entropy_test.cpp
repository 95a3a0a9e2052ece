#include "ops/linear_cross_entropy.h"

#include <cstring>

#include "base/error.h"
#include "ops/finite_difference.h"
#include "ops/matmul.h"
#include "ops/sequence.h"
#include "ops/softmax.h"

namespace wende {
namespace {

constexpr int64_t kInner = 20;
constexpr int64_t kClasses = 37;

/// A softmax layer on x [B,T,20] with its loss, error and gradients, and what a run of it gives.
class SoftmaxLayer : public testing::Test {
 protected:
  SoftmaxLayer() {
    std::vector<int32_t> lengths;
    for (int32_t i = 0; i < 9; ++i) lengths.push_back(40 + 17 * i);  // 972 frames: two blocks of rows
    binding.bind(batch, 9);
    binding.bind_lengths(time, lengths);
    const Shape frames{9, binding.size(time)};
    leaves["x"] = test::random_tensor({frames[0], frames[1], kInner}, 1);
    leaves["w"] = test::random_tensor({kInner, kClasses}, 2);
    leaves["bias"] = test::random_tensor({kClasses}, 3);
    Tensor labels = Tensor::zeros(DType::kInt32, frames);
    for (int64_t i = 0; i < labels.elements(); ++i) labels.data<int32_t>()[i] = static_cast<int32_t>(i * i % kClasses);
    leaves["labels"] = labels;
  }

  void build(bool with_mask, bool with_bias) {
    const Expr labels = ops::input(graph, "labels", DType::kInt32, {batch, time});
    logits = ops::linear(x, w, with_bias ? bias : Expr());
    mask = with_mask ? ops::sequence_mask(graph, batch, time) : Expr();
    loss = ops::softmax_cross_entropy(logits, labels, mask);
    best = ops::argmax(logits, 2);
    if (with_mask) {  // what is chosen in padding means nothing
      best = ops::binary(ops::Binary::kMul, best, ops::cast(mask, DType::kInt32));
    }
  }

  std::vector<Tensor> run(const std::vector<Expr>& fetched) {
    std::vector<Fetch> fetches;
    for (const Expr& expr : fetched) fetches.push_back({expr, {}});
    Executor executor(graph, fetches, test::test_device());
    for (const std::string& name : executor.leaf_names()) executor.bind(name, leaves.at(name));
    std::vector<Tensor> results;
    for (const Tensor& tensor : executor.run(binding, {})) results.push_back(tensor.clone());
    nodes = executor.node_count();
    arena_bytes = executor.arena_bytes();
    return results;
  }

  /// Runs without and with the fused node; the bits must be equal, but for a GPU's sums. Returns how many nodes fewer
  /// ran.
  int64_t compare(const std::vector<Expr>& fetched) {
    const std::vector<Tensor> plain = run(fetched);
    const int64_t plain_nodes = nodes;
    plain_bytes = arena_bytes;
    ops::offer_linear_cross_entropy(graph);
    const std::vector<Tensor> fused = run(fetched);
    for (size_t i = 0; i < plain.size(); ++i) {
      EXPECT_EQ(plain[i].shape(), fused[i].shape());
      if (test::test_device().is_cpu() || plain[i].dtype() != DType::kFloat32) {
        EXPECT_EQ(std::memcmp(plain[i].raw(), fused[i].raw(), plain[i].bytes()), 0) << "result " << i;
        continue;
      }
      for (int64_t k = 0; k < plain[i].elements(); ++k) {
        EXPECT_NEAR(plain[i].data<float>()[k], fused[i].data<float>()[k], 1e-5) << "result " << i << ", element " << k;
      }
    }
    return plain_nodes - nodes;
  }

  std::vector<Expr> with_gradients(Expr total, const std::vector<Expr>& wrt) {
    std::vector<Expr> fetched{total, best};
    for (const Expr& gradient : gradients(total, wrt)) fetched.push_back(gradient);
    return fetched;
  }

  Graph graph;
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Expr x = ops::parameter(graph, "x", DType::kFloat32, {batch, time, Dim::fixed(kInner)});
  Expr w = ops::parameter(graph, "w", DType::kFloat32, {Dim::fixed(kInner), Dim::fixed(kClasses)});
  Expr bias = ops::parameter(graph, "bias", DType::kFloat32, {w.dim(1)});
  Expr logits, mask, loss, best;
  Binding binding;
  std::map<std::string, Tensor> leaves;
  int64_t nodes = 0;
  size_t arena_bytes = 0;
  size_t plain_bytes = 0;
};

TEST_F(SoftmaxLayer, OneNodeGivesTheSameBits) {
  build(true, true);
  const Expr total = ops::reduce(Reduction::kSum, loss, {0, 1});
  EXPECT_EQ(compare(with_gradients(total, {x, w, bias})), 5);  // product, loss, argmax, three gradients
  EXPECT_LT(arena_bytes, plain_bytes);
}

TEST_F(SoftmaxLayer, WithoutMaskOrBias) {
  build(false, false);
  const Expr total = ops::reduce(Reduction::kSum, loss, {0, 1});
  EXPECT_EQ(compare(with_gradients(total, {x, w})), 5);
}

TEST_F(SoftmaxLayer, FrozenParameters) {
  build(true, true);
  const Expr total = ops::reduce(Reduction::kSum, loss, {0, 1});
  EXPECT_EQ(compare(with_gradients(total, {x})), 4);
}

TEST_F(SoftmaxLayer, WithoutGradients) {
  build(true, true);
  EXPECT_EQ(compare({ops::reduce(Reduction::kSum, loss, {0, 1}), best, loss}), 2);
}

TEST_F(SoftmaxLayer, WeightsPerFrameReachTheGradients) {
  build(true, true);
  const Expr weights = ops::input(graph, "weights", DType::kFloat32, {batch, time});
  leaves["weights"] = test::random_tensor({9, binding.size(time)}, 5, -1.0, 1.0);
  const Expr total = ops::reduce(Reduction::kSum, ops::mul(loss, weights), {0, 1});
  EXPECT_EQ(compare(with_gradients(total, {x, w, bias})), 5);
}

TEST_F(SoftmaxLayer, LogitsThatAreReadAreKept) {
  build(true, true);
  const Expr total = ops::reduce(Reduction::kSum, loss, {0, 1});
  std::vector<Expr> fetched = with_gradients(total, {x, w, bias});
  fetched.push_back(logits);
  EXPECT_EQ(compare(fetched), 0);
}

TEST_F(SoftmaxLayer, ALossThatScalesItsOwnGradientIsLeftAlone) {
  build(true, true);
  const Expr total = ops::reduce(Reduction::kSum, ops::mul(loss, loss), {0, 1});
  EXPECT_EQ(compare(with_gradients(total, {x, w, bias})), 0);
}

TEST_F(SoftmaxLayer, NoFramesAtAll) {
  build(true, true);
  const Expr total = ops::reduce(Reduction::kSum, loss, {0, 1});
  const std::vector<Expr> fetched = with_gradients(total, {w, bias});
  binding.bind_lengths(time, std::vector<int32_t>(9, 0));
  leaves["x"] = Tensor::zeros(DType::kFloat32, {9, 0, kInner});
  leaves["labels"] = Tensor::zeros(DType::kInt32, {9, 0});
  EXPECT_EQ(compare(fetched), 4);
}

TEST_F(SoftmaxLayer, ALabelThatIsNoClassIsRefused) {
  build(true, true);
  ops::offer_linear_cross_entropy(graph);
  leaves["labels"].data<int32_t>()[3] = kClasses;
  try {
    run({loss});
    FAIL();
  } catch (const Error& error) {
    const std::string row = test::test_device().is_cpu() ? " (row 3)" : "";
    EXPECT_NE(std::string(error.what()).find("label 37 is outside of [0,37)" + row), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wende
