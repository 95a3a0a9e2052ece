/// The sampled forms of sampling_loss are random: mean and deviation over many draws, against those of
/// TensorFlow 2.15's functions (8000 draws) with the same numbers.
#include <gtest/gtest.h>

#include <cmath>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

constexpr int kFrames = 6;
constexpr int kClasses = 12;
constexpr int kDim = 3;

struct Case {
  const char* sampler;
  bool nce;
  bool remove_hits;
  double mean;
  double deviation;
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.sampler << " " << test.nce << test.remove_hits; }

template <class F>
Tensor filled(Shape shape, F value) {
  const Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  const int64_t columns = shape.rank() == 1 ? 1 : shape[shape.rank() - 1];
  for (int64_t i = 0; i < tensor.elements(); ++i) {
    tensor.data<float>()[i] = static_cast<float>(value(static_cast<int>(i / columns), static_cast<int>(i % columns)));
  }
  return tensor;
}

std::string config_of_case(const Case& test) {
  std::string unigrams = std::string(test.sampler) == "fixed_unigram"
                             ? R"("sampler_args": {"unigrams": [1.0 + c for c in range(12)], "distortion": 0.75}, )"
                             : "";
  return std::string(R"(
extern_data = {"data": {"dim": 3}, "classes": {"dim": 12, "sparse": True}}
network = {"output": {"class": "softmax", "loss": "sampling_loss", "from": "data", "use_transposed_weights": True,
                      "loss_opts": {"num_sampled": 5, "nce_log_norm_term": 0.5, )") +
         unigrams + "\"sampler\": \"" + test.sampler + "\", \"nce_loss\": " + (test.nce ? "True" : "False") +
         ", \"remove_accidental_hits\": " + (test.remove_hits ? "True" : "False") + "}}}\n";
}

class SamplingLoss : public testing::TestWithParam<Case> {};

constexpr int kDraws = 4000;

struct Moments {
  double mean;
  double deviation;
};

/// Of the loss over many draws, for fixed inputs and parameters.
Moments moments_of(const std::string& config) {
  const std::unique_ptr<Network> network = network_of(config);
  Executor executor(network->graph(), {{network->losses().at(0).value, Tensor()}});
  Binding binding;
  const auto& keys = network->extern_data().keys;
  binding.bind(keys.at("data").dims[0], 1);
  binding.bind_lengths(keys.at("data").dims[1], {kFrames});
  binding.bind_lengths(keys.at("classes").dims[1], {kFrames});
  executor.bind("data:data", filled({1, kFrames, kDim}, [](int t, int f) { return std::sin(1 + 3 * t + f); }));
  executor.bind("data:classes", Tensor::of<int32_t>({0, 2, 4, 6, 8, 10}, {1, kFrames}));
  executor.bind("output/W", filled({kClasses, kDim}, [](int c, int d) { return 0.8 * std::cos(2 * c + 5 * d); }));
  executor.bind("output/b", filled({kClasses}, [](int c, int) { return 0.1 * std::sin(c); }));
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < kDraws; ++i) {
    RunOptions options;
    options.step = static_cast<uint64_t>(i);
    const double loss = executor.run(binding, options)[0].data<float>()[0];
    sum += loss;
    squares += loss * loss;
  }
  const double mean = sum / kDraws;
  return {mean, std::sqrt(squares / kDraws - mean * mean)};
}

TEST_P(SamplingLoss, HasTheDistributionOfTensorFlows) {
  const Case& test = GetParam();
  const Moments found = moments_of(config_of_case(test));
  EXPECT_NEAR(found.mean, test.mean, 5 * test.deviation * std::sqrt(1.0 / kDraws + 1.0 / 8000));
  EXPECT_NEAR(found.deviation / test.deviation, 1, 0.1);
}

/// num_splits: each part of the batch draws for itself, so the mean stays.
TEST(SamplingLossSplits, KeepTheMean) {
  const Case whole{"log_uniform", false, true, 9.83439, 0.951585};
  std::string config = config_of_case(whole);
  config.replace(config.find("\"num_sampled\""), 0, "\"num_splits\": 3, ");
  const Moments found = moments_of(config);
  EXPECT_NEAR(found.mean, whole.mean, 5 * whole.deviation * std::sqrt(1.0 / kDraws + 1.0 / 8000));
  EXPECT_LT(found.deviation, 0.9 * whole.deviation);
}

INSTANTIATE_TEST_SUITE_P(
    TensorFlow, SamplingLoss,
    testing::Values(
        Case{"log_uniform", false, true, 9.83439, 0.951585}, Case{"log_uniform", false, false, 10.4054, 0.809245},
        Case{"log_uniform", true, false, 30.5846, 3.48499}, Case{"log_uniform", true, true, 27.5862, 3.67712},
        Case{"uniform", false, true, 10.1894, 0.331509}, Case{"uniform", false, false, 10.7236, 0.279008},
        Case{"uniform", true, false, 31.2459, 1.39131}, Case{"uniform", true, true, 28.4355, 1.6172},
        Case{"fixed_unigram", false, true, 9.79951, 0.790105}, Case{"fixed_unigram", false, false, 10.258, 0.871275},
        Case{"fixed_unigram", true, false, 30.6591, 3.36357}, Case{"fixed_unigram", true, true, 28.3006, 2.8604}));

}  // namespace
}  // namespace wende
