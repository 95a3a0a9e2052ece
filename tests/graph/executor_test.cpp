#include "graph/executor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "base/error.h"
#include "graph/test_ops.h"

namespace wende {
namespace {

using test::affine;
using test::leaf;
using test::run_log;

Tensor vector_of(const std::vector<float>& values) {
  return Tensor::of<float>(values, {static_cast<int64_t>(values.size())});
}

std::vector<float> values_of(const Tensor& tensor) { return tensor.to_vector<float>(); }

class ExecutorTest : public testing::Test {
 protected:
  void SetUp() override { run_log().clear(); }
  Graph graph;
  Dim three = Dim::fixed(3);
  Expr x = leaf(graph, "x", {three});
  Tensor numbers = vector_of({1, 2, 3});
};

TEST_F(ExecutorTest, FetchIntoGivenMemory) {
  const Tensor into = vector_of({0, 0, 0});
  const Tensor twice = vector_of({0, 0, 0});
  const Tensor of_leaf = vector_of({0, 0, 0});
  const Expr y = affine(x, 2, 1);
  const Expr z = affine(y, 10, 0);  // y has another reader: it is copied out
  Executor executor(graph, {{y, into}, {y, twice}, {z, {}}, {x, of_leaf}});
  executor.bind("x", numbers);
  const std::vector<Tensor> results = executor.run({});
  EXPECT_EQ(results[0].raw(), into.raw());
  EXPECT_EQ(values_of(into), (std::vector<float>{3, 5, 7}));
  EXPECT_EQ(values_of(twice), (std::vector<float>{3, 5, 7}));
  EXPECT_EQ(values_of(results[2]), (std::vector<float>{30, 50, 70}));
  EXPECT_EQ(values_of(of_leaf), values_of(numbers));
}

TEST_F(ExecutorTest, FetchIntoTakesNoArena) {
  const Tensor into = vector_of({0, 0, 0});
  Executor executor(graph, {{affine(x, 2, 1), into}});
  executor.bind("x", numbers);
  executor.run({});
  EXPECT_LE(executor.arena_bytes(), 64u);
  EXPECT_EQ(values_of(into), (std::vector<float>{3, 5, 7}));
}

TEST_F(ExecutorTest, FetchesOfOtherShapesAreRefused) {
  Executor executor(graph, {{affine(x, 2, 1), vector_of({0, 0})}});
  executor.bind("x", numbers);
  EXPECT_THROW(executor.run({}), Error);
}

TEST_F(ExecutorTest, OnFetchComesInRunningOrderWithCompleteValues) {
  const Expr a = affine(x, 2, 0, "a");
  const Expr b = affine(a, 3, 0, "b");
  const Expr c = affine(b, 5, 0, "c");
  const Tensor into_a = vector_of({0, 0, 0});
  Executor executor(graph, {{c, {}}, {a, into_a}, {b, {}}});
  executor.bind("x", numbers);
  RunOptions options;
  options.on_fetch = [&](int fetch) {
    run_log().push_back("fetch " + std::to_string(fetch));
    if (fetch == 1) {
      EXPECT_EQ(values_of(into_a), (std::vector<float>{2, 4, 6}));
    }
  };
  executor.run({}, options);
  EXPECT_EQ(run_log(), (std::vector<std::string>{"a", "fetch 1", "b", "fetch 2", "c", "fetch 0"}));
}

TEST_F(ExecutorTest, AliasesShareBytesAndKeepTheirSourceAlive) {
  const Dim one = Dim::fixed(1);
  const Expr y = affine(x, 2, 0, "y", false);
  const Expr alias = test::rename(test::rename(y, {one, three}), {three, one});
  // Between the alias and its reader others want memory; y must not be handed out again.
  Expr other = affine(x, 7, 0, "other 0", false);
  for (int i = 1; i < 4; ++i) other = affine(other, 1, 1, "other " + std::to_string(i), false);
  const Expr late = affine(alias, 10, 0, "late", false);
  Executor executor(graph, {{late, {}}, {other, {}}, {alias, {}}});
  executor.bind("x", numbers);
  const std::vector<Tensor> results = executor.run({});
  EXPECT_EQ(values_of(results[0]), (std::vector<float>{20, 40, 60}));
  EXPECT_EQ(values_of(results[1]), (std::vector<float>{10, 17, 24}));
  EXPECT_EQ(values_of(results[2]), (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(results[2].shape(), (Shape{3, 1}));
}

TEST_F(ExecutorTest, AnAliasOfALeafFollowsTheLeaf) {
  const Expr alias = test::rename(x, {Dim::fixed(1), three});
  Executor executor(graph, {{alias, {}}});
  executor.bind("x", numbers);
  EXPECT_EQ(executor.run({})[0].raw(), numbers.raw());
  const Tensor others = vector_of({4, 5, 6});
  executor.bind("x", others);
  EXPECT_EQ(executor.run({})[0].raw(), others.raw());
}

TEST_F(ExecutorTest, PointwiseOpsRunInPlace) {
  const Dim large = Dim::fixed(1000);
  const Expr from = leaf(graph, "from", {large});
  Expr y = from;
  for (int i = 0; i < 10; ++i) y = affine(y, 1, 1 + i);
  Executor executor(graph, {{y, {}}});
  executor.bind("from", Tensor::zeros(DType::kFloat32, {1000}));
  const Tensor result = executor.run({})[0];
  EXPECT_EQ(result.data<float>()[999], 55.0f);
  EXPECT_LE(executor.arena_bytes(), 4096u) << "a chain of pointwise ops takes the memory of one value";
}

TEST_F(ExecutorTest, ValuesWithLaterReadersAreNotOverwritten) {
  const Expr y = affine(x, 2, 0);
  const Expr z = affine(y, 1, 1);
  const Expr w = test::product(y, z);
  Executor executor(graph, {{w, {}}});
  executor.bind("x", numbers);
  EXPECT_EQ(values_of(executor.run({})[0]), (std::vector<float>{2 * 3, 4 * 5, 6 * 7}));
  EXPECT_EQ(values_of(numbers), (std::vector<float>{1, 2, 3})) << "a leaf was written to";
}

TEST_F(ExecutorTest, AnOpMayWriteOverAnInput) {
  const Expr y = affine(x, 2, 0, "y", false);
  const Expr same = graph.add(std::make_shared<const test::NegateOverOp>(), {y});
  const Expr negative = graph.output_of(same, 1);
  Executor executor(graph, {{same, {}}, {negative, {}}});
  executor.bind("x", numbers);
  const std::vector<Tensor> results = executor.run({});
  EXPECT_EQ(values_of(results[0]), (std::vector<float>{2, 4, 6}));
  EXPECT_EQ(values_of(results[1]), (std::vector<float>{-2, -4, -6}));
  EXPECT_EQ(run_log().back(), "over");

  // Not if the input is read later, or is a leaf.
  const Expr later = affine(y, 1, 5, "later", false);
  Executor careful(graph, {{negative, {}}, {later, {}}});
  careful.bind("x", numbers);
  const std::vector<Tensor> kept = careful.run({});
  EXPECT_EQ(values_of(kept[0]), (std::vector<float>{-2, -4, -6}));
  EXPECT_EQ(values_of(kept[1]), (std::vector<float>{7, 9, 11}));
  const Expr of_leaf = graph.output_of(graph.add(std::make_shared<const test::NegateOverOp>(), {x}), 1);
  Executor with_leaf(graph, {{of_leaf, {}}});
  with_leaf.bind("x", numbers);
  with_leaf.run({});
  EXPECT_EQ(run_log().back(), "beside");
  EXPECT_EQ(values_of(numbers), (std::vector<float>{1, 2, 3}));
}

TEST_F(ExecutorTest, SizesMayChangeFromRunToRun) {
  const Dim time = Dim::dynamic("time");
  const Expr in = leaf(graph, "in", {time});
  const Expr total = test::sum(affine(in, 2, 1));
  Executor executor(graph, {{total, {}}});
  for (const int64_t size : {5, 1000, 2, 0, 1000, 5}) {
    Binding binding;
    binding.bind(time, size);
    const Tensor ones = Tensor::zeros(DType::kFloat32, {size});
    for (int64_t i = 0; i < size; ++i) ones.data<float>()[i] = 1.0f;
    executor.bind("in", ones);
    EXPECT_EQ(values_of(executor.run(binding)[0])[0], 3.0f * static_cast<float>(size));
  }
}

TEST_F(ExecutorTest, OnlyWhatFetchesNeedRuns) {
  affine(x, 9, 9, "nobody");
  Executor executor(graph, {{test::sum(affine(x, 1, 0, "used")), {}}});
  executor.bind("x", numbers);
  executor.run({});
  EXPECT_EQ(run_log(), std::vector<std::string>{"used"}) << "neither the other node nor the unread mean";
  EXPECT_EQ(executor.leaf_names(), std::vector<std::string>{"x"});
}

TEST_F(ExecutorTest, WrongLeavesAreNamed) {
  Executor executor(graph, {{affine(x, 1, 0), {}}});
  const auto message = [&] {
    try {
      executor.run({});
    } catch (const Error& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_NE(message().find("nothing is bound to 'x'"), std::string::npos) << message();
  executor.bind("x", vector_of({1, 2}));
  EXPECT_NE(message().find("'x' has shape [2] where [3] is expected"), std::string::npos) << message();
}

TEST_F(ExecutorTest, TheFirstNonFiniteValueIsNamedByLayer) {
  Expr y;
  {
    const ScopeGuard scope(graph, "calm");
    y = test::fragile(x, 99, 100);
  }
  {
    const ScopeGuard scope(graph, "wild");
    y = test::fragile(y, 2, 100);
  }
  {
    const ScopeGuard scope(graph, "after");
    y = affine(y, 1, 0);
  }
  Executor executor(graph, {{y, {}}});
  executor.bind("x", numbers);
  EXPECT_TRUE(std::isinf(executor.run({})[0].data<float>()[1])) << "unchecked runs go on";
  RunOptions options;
  options.check_numerics = true;
  try {
    executor.run({}, options);
    FAIL() << "infinity was not seen";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kNonFinite);
    EXPECT_NE(std::string(error.what()).find("layer 'wild', operation 'fragile'"), std::string::npos) << error.what();
  }
  executor.bind("x", vector_of({1, 5, 3}));
  EXPECT_NO_THROW(executor.run({}, options));
}

TEST_F(ExecutorTest, ErrorsOfOpsNameTheirLayer) {
  Expr y;
  {
    const ScopeGuard scope(graph, "outer/inner");
    y = test::fragile(x, 99, 3);
  }
  Executor executor(graph, {{y, {}}});
  executor.bind("x", numbers);
  try {
    executor.run({});
    FAIL() << "the op's error was lost";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("[fragile] refuses"), std::string::npos);
    EXPECT_NE(std::string(error.what()).find("in layer 'outer/inner', operation 'fragile'"), std::string::npos)
        << error.what();
  }
  executor.bind("x", vector_of({1, 2, 4}));
  EXPECT_EQ(values_of(executor.run({})[0]), (std::vector<float>{1, 2, 4})) << "usable after an error";
}

TEST_F(ExecutorTest, ProfileAndPlanNameLayers) {
  Expr y;
  {
    const ScopeGuard scope(graph, "layer");
    y = affine(x, 2, 0);
  }
  Executor executor(graph, {{y, {}}});
  executor.bind("x", numbers);
  executor.set_profiling(true);
  executor.run({});
  EXPECT_EQ(executor.seconds_by_scope().count("layer/affine"), 1u);
  EXPECT_NE(executor.memory_text(3).find("layer/affine [3]"), std::string::npos) << executor.memory_text(3);
  EXPECT_EQ(executor.memory_text(0), "");
}

}  // namespace
}  // namespace wende
