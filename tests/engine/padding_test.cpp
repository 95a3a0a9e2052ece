#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "engine/trained_network.h"

namespace wende {
namespace {

const char* const kHeader = R"(
num_inputs = 4
num_outputs = {"data": [4, 2], "classes": [5, 1]}
)";

struct PaddingCase {
  const char* name;
  const char* network;
};

const PaddingCase kCases[] = {
    {"feed_forward", R"(network = {
      "a": {"class": "linear", "activation": "relu", "n_out": 6, "from": "data", "L2": 0.01},
      "b": {"class": "linear", "activation": "tanh", "n_out": 7, "from": "a"},
      "output": {"class": "softmax", "loss": "ce", "from": "b"}})"},
    {"lstm", R"(network = {
      "a": {"class": "rec", "unit": "lstm", "n_out": 6, "from": "data"},
      "b": {"class": "rec", "unit": "nativelstm2", "n_out": 3, "direction": -1, "from": "a"},
      "output": {"class": "softmax", "loss": "ce", "from": "b"}})"},
    {"bidirectional", R"(network = {
      "f0": {"class": "rec", "unit": "lstm", "n_out": 6, "from": "data"},
      "b0": {"class": "rec", "unit": "lstm", "n_out": 6, "direction": -1, "from": "data"},
      "f1": {"class": "rec", "unit": "lstm", "n_out": 4, "from": ["f0", "b0"]},
      "b1": {"class": "rec", "unit": "lstm", "n_out": 4, "direction": -1, "from": ["f0", "b0"]},
      "output": {"class": "softmax", "loss": "ce", "from": ["f1", "b1"]}})"},
    {"gru", R"(network = {
      "a": {"class": "rec", "unit": "gru", "n_out": 6, "from": "data"},
      "b": {"class": "rec", "unit": "gru", "n_out": 6, "direction": -1, "from": "a"},
      "output": {"class": "softmax", "loss": "ce", "from": ["a", "b"]}})"},
    {"simple_rnn", R"(network = {
      "a": {"class": "rec", "unit": "basicrnn", "n_out": 6, "from": "data"},
      "output": {"class": "softmax", "loss": "ce", "from": "a"}})"},
    {"residual", R"(network = {
      "a": {"class": "linear", "activation": "sigmoid", "n_out": 6, "from": "data"},
      "b": {"class": "linear", "activation": "tanh", "n_out": 6, "from": "a"},
      "c": {"class": "combine", "kind": "add", "from": ["a", "b"]},
      "d": {"class": "activation", "activation": "relu", "from": "c"},
      "output": {"class": "softmax", "loss": "ce", "from": "d"}})"},
    {"axes_come_and_go", R"(network = {
      "a": {"class": "linear", "activation": None, "n_out": 6, "from": "data"},
      "b": {"class": "split_dims", "axis": "F", "dims": (2, 3), "from": "a"},
      "c": {"class": "merge_dims", "axes": "static", "from": "b"},
      "output": {"class": "softmax", "loss": "ce", "from": "c"}})"},
};

class Padding : public testing::TestWithParam<PaddingCase> {};

/// What is in padded frames must not matter: neither for the loss nor for a
/// gradient.
TEST_P(Padding, ChangesNothing) {
  test::TrainedNetwork net(std::string(kHeader) + GetParam().network);
  for (const std::vector<int32_t>& lengths :
       {std::vector<int32_t>{9, 4, 1}, std::vector<int32_t>{2, 230, 9}, std::vector<int32_t>{6, 6}}) {
    const StepReport expected = net.run(test::random_batch(lengths, 4, 5));
    std::map<std::string, std::vector<float>> gradients;
    for (const std::string& name : net.params_with_gradient()) gradients[name] = net.gradient(name);
    ASSERT_FALSE(gradients.empty());
    ASSERT_TRUE(std::isfinite(expected.loss));
    for (const float padding : {std::numeric_limits<float>::quiet_NaN(), 1e30f}) {
      const StepReport report = net.run(test::random_batch(lengths, 4, 5, padding));
      EXPECT_EQ(report.loss, expected.loss) << "padding " << padding;
      EXPECT_EQ(report.losses[0].error, expected.losses[0].error) << "padding " << padding;
      for (const auto& [name, gradient] : gradients) {
        EXPECT_EQ(net.gradient(name), gradient) << name << " with padding " << padding;
      }
    }
  }
}

/// One sequence at a time gives the same sums as the padded batch.
TEST_P(Padding, SequencesAloneAddUpToTheBatch) {
  test::TrainedNetwork net(std::string(kHeader) + GetParam().network);
  const std::vector<int32_t> lengths{7, 3, 1, 5};
  const Batch batch = test::random_batch(lengths, 4, 5);
  const double loss = net.run(batch).loss;
  double sum = 0;
  for (int64_t b = 0; b < batch.size(); ++b) {
    Batch alone;
    const int32_t length = lengths[static_cast<size_t>(b)];
    for (const auto& [key, tensor] : batch.data) {
      alone.data[key] = tensor.sliced(0, b, b + 1).sliced(1, 0, length).clone();
      alone.lengths[key] = {length};
    }
    alone.tags = {batch.tags[static_cast<size_t>(b)]};
    alone.indices = {b};
    sum += net.run(alone).loss;
  }
  EXPECT_NEAR(sum, loss, 1e-5 * std::abs(loss));
}

INSTANTIATE_TEST_SUITE_P(Networks, Padding, testing::ValuesIn(kCases),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace wende
