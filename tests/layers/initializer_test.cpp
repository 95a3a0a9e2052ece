#include "layers/initializer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "base/error.h"

namespace wende {
namespace {

std::vector<float> values(const Value& option, Shape shape, uint32_t op_seed = 7, uint64_t graph_seed = 3) {
  const Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  make_initializer(option, "glorot_uniform", op_seed)(tensor, graph_seed);
  return tensor.to_vector<float>();
}

double stddev(const std::vector<float>& x) {
  double sum = 0, square = 0;
  for (const float v : x) {
    sum += v;
    square += static_cast<double>(v) * v;
  }
  const double mean = sum / static_cast<double>(x.size());
  return std::sqrt(square / static_cast<double>(x.size()) - mean * mean);
}

Value dict(std::vector<std::pair<const char*, Value>> entries) {
  std::vector<Value::Entry> list;
  for (auto& [key, value] : entries) {
    list.emplace_back(Value::of(key), value);
  }
  return Value::dict(list);
}

TEST(Initializer, ConstantForms) {
  EXPECT_EQ(values(Value::of(-1.5), {2}), (std::vector<float>{-1.5f, -1.5f}));
  EXPECT_EQ(values(Value::of(int64_t{1}), {2}), (std::vector<float>{1, 1}));
  EXPECT_EQ(values(Value::of("ones_initializer"), {2}), (std::vector<float>{1, 1}));
  EXPECT_EQ(values(Value::of("zeros"), {2}), (std::vector<float>{0, 0}));
  EXPECT_EQ(values(dict({{"class", Value::of("Constant")}, {"value", Value::of(0.75)}}), {1}),
            (std::vector<float>{0.75f}));
  EXPECT_EQ(values(dict({{"class", Value::of("Identity")}, {"gain", Value::of(2.0)}}), {2, 3}),
            (std::vector<float>{2, 0, 0, 0, 2, 0}));
}

TEST(Initializer, DefaultIsGlorotUniform) {
  const auto x = values(Value(), {96, 104});
  const double limit = std::sqrt(6.0 / 200);
  EXPECT_NEAR(stddev(x), limit / std::sqrt(3.0), 0.002);
  EXPECT_LE(*std::max_element(x.begin(), x.end()), limit);
}

TEST(Initializer, TruncatedVarianceScalingKeepsTheStddev) {
  const auto x = values(Value::of("variance_scaling"), {100, 100});
  EXPECT_NEAR(stddev(x), 0.1, 0.002);
  EXPECT_LE(*std::max_element(x.begin(), x.end()), 2 * 0.1 / 0.87962566 + 1e-6);
}

TEST(Initializer, OrthogonalColumns) {
  const auto x = values(Value::of("orthogonal"), {12, 8});
  for (size_t a = 0; a < 8; ++a) {
    for (size_t b = 0; b < 8; ++b) {
      double dot = 0;
      for (size_t i = 0; i < 12; ++i) {
        dot += static_cast<double>(x[i * 8 + a]) * x[i * 8 + b];
      }
      EXPECT_NEAR(dot, a == b ? 1.0 : 0.0, 1e-6);
    }
  }
}

TEST(Initializer, DependsOnSeedsOnly) {
  EXPECT_EQ(values(Value(), {3, 4}), values(Value(), {3, 4}));
  EXPECT_NE(values(Value(), {3, 4}), values(Value(), {3, 4}, 7, 4));
  EXPECT_NE(values(Value(), {3, 4}), values(Value(), {3, 4}, 8));
}

/// tf.set_random_seed(42) and an initialiser with a seed of its own, TensorFlow 2.15.
TEST(Initializer, ValuesAreTensorFlows) {
  const auto uniform = values(Value::of("glorot_uniform"), {4, 6}, 5, 42);
  const std::vector<float> of_uniform{-0.73399132f, -0.10151911f, -0.36117062f, 0.32598448f, 0.59511769f, -0.49916351f};
  EXPECT_EQ(std::vector<float>(uniform.begin(), uniform.begin() + 6), of_uniform);
  const auto expect_near = [](const std::vector<float>& found, const std::vector<float>& expected) {
    for (size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-6) << i;
  };
  expect_near(values(Value::of("variance_scaling"), {4, 6}, 7, 42),
              {-0.25734901f, -0.17075874f, -0.044808049f, 0.064270236f, -0.83274293f, 0.61120439f});
  expect_near(values(Value::of("truncated_normal"), {3, 5}, 78, 42),
              {-0.53278512f, -0.80178076f, -1.6694859f, 1.0003183f, 0.37135038f, 0.33424506f});
  expect_near(values(Value::of("orthogonal"), {3, 5}, 6, 42),
              {-0.1717391f, 0.70463347f, -0.2473904f, 0.33510417f, 0.54817927f, -0.0018391954f});
  EXPECT_EQ(values(dict({{"class", Value::of("GlorotUniform")}, {"seed", Value::of(int64_t{5})}}), {4, 6}, 9, 42),
            uniform);
}

TEST(Initializer, UnknownNamesTheClosest) {
  try {
    values(dict({{"class", Value::of("VarianceScalling")}}), {2, 2});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kConfig);
    EXPECT_NE(std::string(error.what()).find("did you mean 'VarianceScaling'"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wende
