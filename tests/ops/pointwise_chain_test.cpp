#include "kernels/pointwise_chain.h"

#include <cstring>

#include "base/error.h"
#include "ops/finite_difference.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

constexpr int64_t kFeatures = 24;

/// Element-wise nodes on x [B,T,24] and operands that broadcast to it.
class PointwiseChains : public testing::Test {
 protected:
  PointwiseChains() {
    binding.bind(batch, 5);
    binding.bind_lengths(time, {61, 60, 3, 61, 17});
    leaves["x"] = test::random_tensor({5, 61, kFeatures}, 1);
    leaves["y"] = test::random_tensor({5, 61, kFeatures}, 2);
    leaves["feature"] = test::random_tensor({1, 1, kFeatures}, 3);
    leaves["frame"] = test::random_tensor({5, 61, 1}, 4);
    leaves["sequence"] = test::random_tensor({5, 1, 1}, 5);
    leaves["number"] = Tensor::of<float>({0.75F}, {});
  }

  Expr input(const std::string& name, std::vector<Dim> dims) {
    return ops::input(graph, name, DType::kFloat32, std::move(dims));
  }

  std::vector<Tensor> run(const std::vector<Expr>& fetched, const RunOptions& options = {}) {
    std::vector<Fetch> fetches;
    for (const Expr& expr : fetched) fetches.push_back({expr, {}});
    Executor executor(graph, fetches, test::test_device());
    for (const std::string& name : executor.leaf_names()) executor.bind(name, leaves.at(name));
    std::vector<Tensor> results;
    for (const Tensor& tensor : executor.run(binding, options)) results.push_back(tensor.clone());
    nodes = executor.node_count();
    return results;
  }

  /// The last of these values, with all of them fetched, which leaves every node alone, and by itself: the same bits
  /// on the CPU. Returns how many nodes fewer ran.
  int64_t compare(const std::vector<Expr>& values) {
    const Tensor apart = run(values).back();
    const int64_t all = nodes;
    const Tensor joined = run({values.back()}).back();
    for (int64_t i = 0; i < apart.elements(); ++i) {
      const float expected = apart.data<float>()[i];
      const float tolerance = test::test_device().is_cpu() ? 0.0F : 1e-6F * (1.0F + std::fabs(expected));
      EXPECT_NEAR(joined.data<float>()[i], expected, tolerance) << "element " << i;
    }
    return all - nodes;
  }

  Graph graph;
  Dim batch = Dim::batch();
  Dim time = Dim::dynamic("time");
  Dim features = Dim::fixed(kFeatures, Dim::Kind::kFeature);
  Dim one = Dim::fixed(1, Dim::Kind::kSpatial);
  Binding binding;
  std::map<std::string, Tensor> leaves;
  int64_t nodes = 0;
  Expr x = input("x", {batch, time, features});
  Expr y = input("y", {batch, time, features});
  Expr feature = input("feature", {one, one, features});
  Expr frame = input("frame", {batch, time, one});
  Expr sequence = input("sequence", {batch, one, one});
  Expr number = input("number", {});
};

TEST_F(PointwiseChains, AreTheirFunctionsOneByOne) {
  std::vector<Expr> values{ops::mul(x, frame)};
  for (const Expr& operand : {feature, sequence, number, y}) values.push_back(ops::add(values.back(), operand));
  EXPECT_EQ(compare(values), 4);
}

TEST_F(PointwiseChains, TakeEveryFunctionOfTheList) {
  const Expr positive = ops::add_scalar(ops::unary(Unary::kSquare, x), 0.5);
  int functions = 0;
  for (int kind = 0; kind <= static_cast<int>(Unary::kIsFinite); ++kind) {
    if (!chains_take(PointwiseFunction::of(static_cast<Unary>(kind)))) continue;
    const Expr value = ops::unary(static_cast<Unary>(kind), positive);
    EXPECT_EQ(compare({positive.graph->node(positive.node).inputs[0], positive, value}), 2) << "function " << kind;
    ++functions;
  }
  EXPECT_EQ(functions, 14);
  for (int kind = 0; kind <= static_cast<int>(Binary::kLogicalOr); ++kind) {
    if (!chains_take(PointwiseFunction::of(static_cast<Binary>(kind)))) continue;
    EXPECT_EQ(
        compare({ops::unary(Unary::kTanh, y), ops::binary(static_cast<Binary>(kind), x, ops::unary(Unary::kTanh, y))}),
        1)
        << "function " << kind;
    ++functions;
  }
  EXPECT_EQ(functions, 21);
}

TEST_F(PointwiseChains, HaveTheGradientsOfTheirFunctions) {
  test::expect_gradients({{3, 4}, {1, 4}}, [](Graph&, const std::vector<Expr>& v) {
    return ops::mul(ops::unary(Unary::kSwish, ops::mul(v[0], v[1])), ops::unary(Unary::kTanh, ops::add(v[0], v[1])));
  });
}

TEST_F(PointwiseChains, ReadARegisterBeforeTheyWriteIt) {
  const Expr a = ops::unary(Unary::kTanh, x);
  const Expr b = ops::mul(a, a);
  const Expr c = ops::sub(b, y);
  const Expr d = ops::mul(c, b);
  EXPECT_EQ(compare({a, b, c, d}), 3);
}

TEST_F(PointwiseChains, EndWhereSomebodyElseReads) {
  const Expr a = ops::mul(x, y);
  const Expr b = ops::add(a, y);
  const Expr sums = ops::reduce(ops::Reduction::kSum, b, {2});
  const Expr c = ops::unary(Unary::kTanh, b);
  run({a, b, sums, c});
  const int64_t apart = nodes;
  run({sums, c});
  EXPECT_EQ(apart - nodes, 1) << "a and b are one step, c reads b";
}

TEST_F(PointwiseChains, RepeatWhatIsCheap) {
  const Expr mean = ops::reduce(ops::Reduction::kMean, x, {2});
  const Expr centred = ops::sub(x, ops::expand_dims(mean, 2));
  const Expr squares = ops::unary(Unary::kSquare, centred);
  const Expr variance = ops::expand_dims(ops::reduce(ops::Reduction::kMean, squares, {2}), 2);
  const Expr normal = ops::mul(centred, ops::unary(Unary::kRsqrt, variance));
  const Expr out = ops::add(normal, feature);
  EXPECT_EQ(compare({centred, squares, normal, out}), 2) << "centred is computed with squares and again with out";
}

TEST_F(PointwiseChains, DivideWhatIsTooLong) {
  std::vector<Expr> values{x};
  for (int i = 0; i < 60; ++i) values.push_back(ops::add(ops::unary(Unary::kTanh, values.back()), feature));
  values.erase(values.begin());
  EXPECT_EQ(compare(values), 60 - 120 / PointwiseChain::kMostSteps) << "each tanh is one step with its sum anyhow";
}

TEST_F(PointwiseChains, DivideWhatHasTooManyInputs) {
  std::vector<Expr> values{x};
  for (int i = 0; i < 20; ++i) {
    const std::string name = "input" + std::to_string(i);
    leaves[name] = test::random_tensor({5, 61, kFeatures}, static_cast<uint64_t>(10 + i));
    values.push_back(ops::add(values.back(), input(name, {batch, time, features})));
  }
  values.erase(values.begin());
  EXPECT_EQ(compare(values), 20 - 3) << "seven further inputs each";
}

TEST_F(PointwiseChains, SayWhichOfThemIsNotFinite) {
  leaves["y"].data<float>()[7] = -1.0F;
  Expr value;
  {
    const ScopeGuard scope(graph, "energy");
    value = ops::unary(Unary::kLog, ops::mul(y, y));
    value = ops::add(value, ops::unary(Unary::kSqrt, y));
  }
  const ScopeGuard scope(graph, "output");
  value = ops::unary(Unary::kTanh, ops::mul(value, x));
  RunOptions options;
  options.check_numerics = true;
  try {
    run({value}, options);
    FAIL() << "not noticed";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("layer 'energy', operation 'sqrt'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wende
