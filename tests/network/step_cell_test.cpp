#include <gtest/gtest.h>

#include <cmath>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

constexpr int64_t kBatch = 2, kFrames = 4, kFeatures = 3, kUnits = 200;

/// What the layer "output" gives for data without pattern; parameters are the same in each call.
Tensor run(const std::string& unit, const std::string& opts, const std::string& output, bool train, int64_t frames) {
  NetworkOptions options;
  options.train = train;
  const auto network =
      network_of("extern_data = {'data': {'dim': 3}}\nnetwork = {'cell': {'class': 'rec', 'unit': '" + unit +
                     "', 'unit_opts': " + opts + ", 'n_out': 200, 'from': 'data'},\n'output': " + output + "}\n",
                 options);
  const Data& data = network->extern_data().keys.at("data");
  Executor executor(network->graph(), {{network->find_layer("output")->output.expr, {}}});
  std::vector<float> values;
  for (int64_t i = 0; i < kBatch * frames * kFeatures; ++i) {
    values.push_back(static_cast<float>((i * 7) % 11) / 5.0f - 1.0f);
  }
  executor.bind("data:data", Tensor::of(values, {kBatch, frames, kFeatures}));
  std::vector<Tensor> params;
  for (const ParamSpec& spec : network->params()) {
    params.push_back(Tensor::zeros(spec.dtype, spec.shape));
    spec.init(params.back(), 1);
    executor.bind(spec.name, params.back());
  }
  Binding binding;
  binding.bind(data.dims[0], kBatch);
  binding.bind_lengths(data.dims[1], std::vector<int32_t>(kBatch, static_cast<int32_t>(frames)));
  return executor.run(binding)[0].clone();
}

const std::string kLastCell = "{'class': 'get_last_hidden_state', 'key': 'c', 'n_out': 200, 'from': 'cell'}";

/// From a cell of zeros: an element stays 0 with the given probability, in evaluation it is the mean of that.
TEST(StepCell, ZoneoutKeepsElements) {
  const std::string opts = "{'zoneout_factor_cell': 0.3}";
  const Tensor plain = run("zoneoutlstm", "{}", kLastCell, true, 1);
  const Tensor train = run("zoneoutlstm", opts, kLastCell, true, 1);
  const Tensor eval = run("zoneoutlstm", opts, kLastCell, false, 1);
  int64_t kept = 0;
  for (int64_t i = 0; i < kBatch * kUnits; ++i) {
    const float value = train.data<float>()[i];
    ASSERT_TRUE(value == 0.0f || std::abs(value - plain.data<float>()[i]) < 1e-6f) << i;
    kept += value == 0.0f ? 1 : 0;
    EXPECT_NEAR(eval.data<float>()[i], 0.7f * plain.data<float>()[i], 1e-6f);
  }
  EXPECT_NEAR(static_cast<double>(kept) / (kBatch * kUnits), 0.3, 0.08);  // 3.5 standard deviations of 400 draws
}

/// An element of the cell's input that is dropped is dropped in every step of the sequence.
TEST(StepCell, DropoutIsTheSameInAllSteps) {
  const std::string opts = "{'global_norm': False, 'cell_norm': False, 'cell_norm_in_output': False, 'dropout': 0.5}";
  const Tensor y = run("layernormvariantslstm", opts, "{'class': 'copy', 'from': 'cell'}", true, kFrames);
  int64_t dropped = 0;
  for (int64_t i = 0; i < kBatch * kUnits; ++i) {
    const bool zero = y.data<float>()[i] == 0.0f;
    dropped += zero ? 1 : 0;
    for (int64_t t = 1; t < kFrames; ++t) {
      ASSERT_EQ(y.data<float>()[t * kBatch * kUnits + i] == 0.0f, zero) << "element " << i << " in step " << t;
    }
  }
  EXPECT_NEAR(static_cast<double>(dropped) / (kBatch * kUnits), 0.5, 0.09);
}

}  // namespace
}  // namespace wende
