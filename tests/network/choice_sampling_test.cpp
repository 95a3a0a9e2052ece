#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

constexpr int kFrames = 4000;
constexpr int kSequences = 2;
const std::vector<double> kLogits{0.3, 1.0, -1.0, 0.8};
constexpr int kTarget = 2;

/// The labels [T,B] that a choice with these options gives where all frames have the scores log_softmax(kLogits) and
/// the target kTarget.
std::vector<int32_t> labels(const std::string& options, uint64_t step = 0) {
  const auto network = network_of(R"(
extern_data = {'data': {'dim': 4}, 'classes': {'dim': 4, 'sparse': True}}
network = {'output': {'class': 'rec', 'from': 'data', 'target': 'classes', 'unit': {
    'embed': {'class': 'linear', 'activation': None, 'with_bias': False, 'from': 'output', 'n_out': 4},
    'prob': {'class': 'combine', 'kind': 'add', 'from': ['data:source', 'prev:embed']},
    'output': {'class': 'choice', 'target': 'classes', 'from': 'prob', 'input_type': 'logits', 'beam_size': 1,
               'initial_output': 0, )" +
                                  options + "}}}}\n");
  Executor executor(network->graph(), {{network->find_layer("output")->output.expr, Tensor()}});
  Binding binding;
  const auto& keys = network->extern_data().keys;
  binding.bind(keys.at("data").dims[0], kSequences);
  for (const char* key : {"data", "classes"}) {
    binding.bind_lengths(keys.at(key).dims[1], std::vector<int32_t>(kSequences, kFrames));
  }
  std::vector<float> logits;
  for (int i = 0; i < kSequences * kFrames; ++i) logits.insert(logits.end(), kLogits.begin(), kLogits.end());
  executor.bind("data:data", Tensor::of<float>(logits, {kSequences, kFrames, 4}));
  executor.bind("data:classes",
                Tensor::of<int32_t>(std::vector<int32_t>(kSequences * kFrames, kTarget), {kSequences, kFrames}));
  executor.bind("output/rec/embed/W", Tensor::zeros(DType::kFloat32, {4, 4}));
  RunOptions run;
  run.seed = 5;
  run.step = step;
  return executor.run(binding, run).at(0).to_vector<int32_t>();
}

double share(const std::vector<int32_t>& drawn, int32_t label) {
  return static_cast<double>(std::count(drawn.begin(), drawn.end(), label)) / static_cast<double>(drawn.size());
}

/// exp(scale * logit), as shares.
std::vector<double> softmax(double scale) {
  std::vector<double> shares;
  double sum = 0;
  for (const double logit : kLogits) {
    shares.push_back(std::exp(scale * logit));
    sum += shares.back();
  }
  for (double& one : shares) one /= sum;
  return shares;
}

TEST(ChoiceSampling, LabelsHaveTheirProbabilities) {
  const std::vector<double> expected = softmax(1.0);
  const std::vector<int32_t> drawn = labels("'scheduled_sampling': True");
  for (int label = 0; label < 4; ++label) {
    EXPECT_NEAR(share(drawn, label), expected[static_cast<size_t>(label)], 0.02) << label;
  }
}

/// Neither frames nor sequences repeat each other: two are equal as often as chance has it.
TEST(ChoiceSampling, DrawsAreIndependent) {
  double chance = 0;
  for (const double one : softmax(1.0)) chance += one * one;
  const std::vector<int32_t> drawn = labels("'scheduled_sampling': True");
  const std::vector<int32_t> next_step = labels("'scheduled_sampling': True", 1);
  for (const auto& [other, shift] : {std::pair(&drawn, 1), std::pair(&drawn, kSequences), std::pair(&next_step, 0)}) {
    size_t equal = 0;
    for (size_t i = 0; i + static_cast<size_t>(shift) < drawn.size(); ++i) {
      equal += drawn[i] == (*other)[i + static_cast<size_t>(shift)] ? 1 : 0;
    }
    EXPECT_NEAR(static_cast<double>(equal) / static_cast<double>(drawn.size()), chance, 0.02) << shift;
  }
  EXPECT_EQ(drawn, labels("'scheduled_sampling': True"));
}

TEST(ChoiceSampling, SomeLabelsAreTheTargets) {
  const std::vector<double> expected = softmax(1.0);
  const std::vector<int32_t> drawn = labels("'scheduled_sampling': {'gold_mixin_prob': 0.4}");
  for (int label = 0; label < 4; ++label) {
    EXPECT_NEAR(share(drawn, label), 0.6 * expected[static_cast<size_t>(label)] + (label == kTarget ? 0.4 : 0.0), 0.02);
  }
}

/// The best of score + scale * noise is drawn with the probabilities exp(score / scale).
TEST(ChoiceSampling, SearchWithNoise) {
  for (const double scale : {1.0, 0.5}) {
    const std::vector<double> expected = softmax(1.0 / scale);
    const std::vector<int32_t> drawn =
        labels("'search': True, 'base_beam_score_scale': 0.0, 'random_sample_scale': " + std::to_string(scale));
    for (int label = 0; label < 4; ++label) {
      EXPECT_NEAR(share(drawn, label), expected[static_cast<size_t>(label)], 0.02) << label << " of scale " << scale;
    }
  }
}

TEST(ChoiceSampling, Mistakes) {
  const auto error = [](const std::string& options) {
    try {
      labels(options);
    } catch (const Error& failure) {
      return std::string(failure.what());
    }
    return std::string();
  };
  EXPECT_NE(error("'scheduled_sampling': 0.5").find("True, False or a dict"), std::string::npos);
  EXPECT_NE(error("'scheduled_sampling': {'gold_mixin_prob': 1.5}").find("is a probability"), std::string::npos);
  EXPECT_NE(error("'scheduled_sampling': {'gold_mix_prob': 0.5}").find("gold_mixin_prob"), std::string::npos);
}

}  // namespace
}  // namespace wende
