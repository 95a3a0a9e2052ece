#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

/// The numbers of a layer "x" without inputs, in a step.
std::vector<float> numbers(const std::string& layer, uint64_t step = 0) {
  const auto network = network_of("extern_data = {'data': {'dim': 2}}\nnetwork = {'x': " + layer +
                                  ", 'output': {'class': 'copy', 'from': 'x'}}\n");
  Executor executor(network->graph(), {{network->find_layer("x")->output.expr, Tensor()}});
  RunOptions options;
  options.seed = 3;
  options.step = step;
  const Tensor values = executor.run(Binding(), options).at(0);
  if (values.dtype() == DType::kInt32) {
    const std::vector<int32_t> whole = values.to_vector<int32_t>();
    return {whole.begin(), whole.end()};
  }
  return values.to_vector<float>();
}

double mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return sum / static_cast<double>(values.size());
}

double deviation(const std::vector<float>& values) {
  const double center = mean(values);
  double sum = 0;
  for (const float value : values) sum += (value - center) * (value - center);
  return std::sqrt(sum / static_cast<double>(values.size()));
}

/// The share of values below a bound.
double share_below(const std::vector<float>& values, double bound) {
  return static_cast<double>(std::count_if(values.begin(), values.end(), [&](float x) { return x < bound; })) /
         static_cast<double>(values.size());
}

const std::string kShape = "{'class': 'random', 'shape': (400, 100), ";

TEST(RandomLayer, Normal) {
  const auto values = numbers(kShape + "'distribution': 'normal', 'mean': 2.0, 'stddev': 0.5}");
  EXPECT_NEAR(mean(values), 2.0, 0.01);
  EXPECT_NEAR(deviation(values), 0.5, 0.01);
}

/// Standard normal numbers within two deviations have the deviation 0.8796, and 71.5 % of them are within one.
TEST(RandomLayer, TruncatedNormal) {
  const auto values = numbers(kShape + "'distribution': 'truncated_normal', 'mean': -1.0, 'stddev': 3.0}");
  EXPECT_NEAR(mean(values), -1.0, 0.05);
  EXPECT_NEAR(deviation(values), 3.0 * 0.8796, 0.03);
  EXPECT_GE(*std::min_element(values.begin(), values.end()), -7.0001F);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), 5.0001F);
  EXPECT_NEAR(share_below(values, 2.0) - share_below(values, -4.0), 0.6827 / 0.9545, 0.01);
  EXPECT_NEAR(share_below(values, -5.5), (0.0668072 - 0.0227501) / 0.9544997, 0.004);
}

TEST(RandomLayer, Uniform) {
  for (const auto& [options, low, high] :
       {std::tuple("'minval': 1.0, 'maxval': 4.0", 1.0, 4.0), std::tuple("'maxval': 2.0", 0.0, 2.0),
        std::tuple("'bound': 0.5", -0.5, 0.5),
        std::tuple("'mean': 1.0, 'stddev': 2.0", 1 - std::sqrt(12.0), 1 + std::sqrt(12.0))}) {
    const auto values = numbers(kShape + "'distribution': 'uniform', " + options + "}");
    EXPECT_GE(*std::min_element(values.begin(), values.end()), low - 1e-5) << options;
    EXPECT_LE(*std::max_element(values.begin(), values.end()), high + 1e-5) << options;
    EXPECT_NEAR(mean(values), (low + high) / 2, 0.01 * (high - low)) << options;
    EXPECT_NEAR(deviation(values), (high - low) / std::sqrt(12.0), 0.01 * (high - low)) << options;
  }
}

TEST(RandomLayer, WholeNumbers) {
  const auto values = numbers("{'class': 'rand_int', 'shape': (5000,), 'minval': 2, 'maxval': 5}");
  for (const float value : {2.0F, 3.0F, 4.0F}) {
    EXPECT_NEAR(static_cast<double>(std::count(values.begin(), values.end(), value)) / 5000.0, 1 / 3.0, 0.03);
  }
}

TEST(RandomLayer, NewInEachStepUnlessStatic) {
  const std::string layer = "{'class': 'random', 'shape': (8,), 'distribution': 'normal'";
  EXPECT_NE(numbers(layer + "}", 0), numbers(layer + "}", 1));
  EXPECT_EQ(numbers(layer + "}", 1), numbers(layer + "}", 1));
  EXPECT_EQ(numbers(layer + ", 'static': True}", 0), numbers(layer + ", 'static': True}", 1));
}

TEST(RandomLayer, Mistakes) {
  const auto error = [](const std::string& options) {
    return build_error("extern_data = {'data': {'dim': 2}}\nnetwork = {'output': {'class': 'random', 'shape': (3,), " +
                       options + "}}\n");
  };
  EXPECT_NE(error("'distribution': 'unifrom', 'maxval': 1").find("did you mean 'uniform'"), std::string::npos);
  EXPECT_NE(error("'distribution': 'uniform'").find("need either maxval"), std::string::npos);
  EXPECT_NE(error("'distribution': 'normal', 'bound': 1.0").find("mean and stddev only"), std::string::npos);
  EXPECT_NE(error("'distribution': 'normal', 'explicit_state': 's'").find("not supported"), std::string::npos);
}

}  // namespace
}  // namespace wende
