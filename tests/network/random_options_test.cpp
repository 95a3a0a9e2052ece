/// Options that draw random numbers: what they share and how they are distributed. RETURNN's meaning as semantics
/// sections 4 and 5 have it; golden cases hold what is not random.
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

constexpr int64_t kBatch = 6;
constexpr int64_t kTime = 7;
constexpr int64_t kFeature = 8;
const std::string kData =
    "extern_data = {'data': {'dim': 8}, 'classes': {'dim': 5, 'sparse': True}}\nnetwork = {'output': ";

/// The layer 'output' in training, of an input of ones [B,T,F] without padding and of these parameters.
Tensor output_of(const std::string& layer, const std::vector<std::pair<std::string, Tensor>>& params = {},
                 uint64_t step = 3) {
  const std::unique_ptr<Network> network = network_of(kData + layer + "}\n", {.train = true});
  const NetworkLayer* output = network->find_layer("output");
  Executor executor(network->graph(), {{output->output.expr, Tensor()}});
  Binding binding;
  const auto& dims = network->extern_data().keys.at("data").dims;
  binding.bind(dims[0], kBatch);
  binding.bind_lengths(dims[1], std::vector<int32_t>(kBatch, kTime));
  const std::vector<float> ones(kBatch * kTime * kFeature, 1.0f);
  executor.bind("data:data", Tensor::of<float>(ones, {kBatch, kTime, kFeature}));
  for (const auto& [name, value] : params) {
    executor.bind(name, value);
  }
  RunOptions options;
  options.seed = 11;
  options.step = step;
  const Tensor result = executor.run(binding, options)[0].clone();
  // To [B,T,F].
  const bool time_first = result.shape()[0] == kTime && output->output.data.batch_axis() == 1;
  return time_first ? result.permuted({1, 0, 2}).as_contiguous() : result;
}

/// Along which of B, T, F the values differ somewhere.
std::string varies(const Tensor& x) {
  const auto values = x.to_vector<float>();
  const auto at = [&](int64_t b, int64_t t, int64_t f) {
    return values[static_cast<size_t>((b * kTime + t) * kFeature + f)];
  };
  bool differs[3] = {};
  for (int64_t b = 0; b < kBatch; ++b) {
    for (int64_t t = 0; t < kTime; ++t) {
      for (int64_t f = 0; f < kFeature; ++f) {
        differs[0] |= at(b, t, f) != at(0, t, f);
        differs[1] |= at(b, t, f) != at(b, 0, f);
        differs[2] |= at(b, t, f) != at(b, t, 0);
      }
    }
  }
  return std::string(differs[0] ? "B" : "") + (differs[1] ? "T" : "") + (differs[2] ? "F" : "");
}

struct MaskCase {
  const char* options;
  const char* varies;
};

void PrintTo(const MaskCase& test, std::ostream* out) { *out << test.options; }

class DropoutMask : public testing::TestWithParam<MaskCase> {};

TEST_P(DropoutMask, VariesAlong) {
  const Tensor x =
      output_of("{'class': 'copy', 'from': 'data', 'dropout': 0.5, " + std::string(GetParam().options) + "}");
  EXPECT_EQ(varies(x), GetParam().varies);
  for (const float value : x.to_vector<float>()) {
    EXPECT_TRUE(value == 0.0f || value == 2.0f) << value;
  }
}

INSTANTIATE_TEST_SUITE_P(Forms, DropoutMask,
                         testing::Values(MaskCase{"", "F"}, MaskCase{"'dropout_noise_shape': None", "F"},
                                         MaskCase{"'dropout_noise_shape': {'*': None}", "BTF"},
                                         MaskCase{"'dropout_noise_shape': {'B': None}", "BF"},
                                         MaskCase{"'dropout_noise_shape': {'T': None}", "TF"},
                                         MaskCase{"'dropout_noise_shape': {'F': 1, 'T': None}", "T"},
                                         MaskCase{"'dropout_noise_shape': {'*': None, 'time': 1}", "BF"},
                                         MaskCase{"'dropout_noise_shape': {'except_batch': 1, 'batch': None}", "B"},
                                         MaskCase{"'dropout_noise_shape': {'spatial:0': None}", "TF"},
                                         MaskCase{"'dropout_noise_shape': [None, 1, None]", "BF"},
                                         MaskCase{"'dropout_noise_shape': (1, None, 1)", "T"},
                                         MaskCase{"'dropout_axis': 'F'", "F"},
                                         MaskCase{"'dropout_axis': ['B', 'T']", "BT"}));

const char* const kLoop =
    "{'class': 'rec', 'from': 'data', 'unit': {'x': {'class': 'copy', 'from': ['data:source'], 'dropout': 0.5, %s}, "
    "'keep': {'class': 'combine', 'kind': 'add', 'from': ['x', 'prev:zero']}, "
    "'zero': {'class': 'eval', 'eval': 'source(0) * 0.0', 'from': 'keep'}, "
    "'output': {'class': 'copy', 'from': 'keep'}}, 'optimize_move_layers_out': False}";

std::string loop_with(const std::string& options) {
  std::string text = kLoop;
  return text.replace(text.find("%s"), 2, options);
}

/// A mask without a batch axis is one for all steps; others are drawn anew in each.
TEST(DropoutInLoop, OneMaskForAllStepsUnlessItHasTheBatch) {
  EXPECT_EQ(varies(output_of(loop_with(""))), "F");
  EXPECT_EQ(varies(output_of(loop_with("'dropout_noise_shape': {'*': None}"))), "BTF");
}

std::vector<std::pair<std::string, Tensor>> linear_params(float weight, float bias) {
  constexpr int64_t kOut = 500;
  return {{"output/W", Tensor::of<float>(std::vector<float>(kFeature * kOut, weight), {kFeature, kOut})},
          {"output/b", Tensor::of<float>(std::vector<float>(kOut, bias), {kOut})}};
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

/// Of the outputs of one frame: of weights that all frames share.
Moments moments(const Tensor& x) {
  const auto values = x.sliced(0, 0, 1).sliced(1, 0, 1).as_contiguous().to_vector<float>();
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
  double squares = 0;
  for (const float value : values) squares += (value - mean) * (value - mean);
  return {mean, std::sqrt(squares / static_cast<double>(values.size()))};
}

/// Each output is the sum of 8 weights and a bias, each with noise of its own.
TEST(ParamNoise, VariationalNoiseHasItsDeviation) {
  const std::string layer =
      "{'class': 'linear', 'activation': None, 'n_out': 500, 'from': 'data', 'param_variational_noise': 0.1}";
  const Tensor x = output_of(layer, linear_params(0.5f, 1.0f));
  const Moments found = moments(x);
  EXPECT_NEAR(found.mean, 5.0, 5 * 0.3 / std::sqrt(500.0));
  EXPECT_NEAR(found.deviation, 0.1 * std::sqrt(9.0), 5 * 0.3 / std::sqrt(1000.0));
  EXPECT_NE(x.to_vector<float>(), output_of(layer, linear_params(0.5f, 1.0f), 4).to_vector<float>());
}

/// Kept weights are divided by 1 - p: sums of 8 such have the mean 8 and the deviation sqrt(8 p / (1 - p)).
TEST(ParamNoise, DropoutOfMatricesOnly) {
  const std::string layer =
      "{'class': 'linear', 'activation': None, 'n_out': 500, 'from': 'data', 'param_dropout': 0.2";
  const Moments both = moments(output_of(layer + "}", linear_params(1.0f, 4.0f)));
  EXPECT_NEAR(both.mean, 12.0, 5 * std::sqrt(2.0 + 4.0) / std::sqrt(500.0));
  EXPECT_NEAR(both.deviation, std::sqrt(2.0 + 4.0), 5 * std::sqrt(6.0) / std::sqrt(1000.0));
  const Moments matrix = moments(output_of(layer + ", 'param_dropout_min_ndim': 2}", linear_params(1.0f, 4.0f)));
  EXPECT_NEAR(matrix.deviation, std::sqrt(2.0), 5 * std::sqrt(2.0) / std::sqrt(1000.0));
}

}  // namespace
}  // namespace wende
