#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/network_runner.h"

namespace wende::test {

/// A network from the source of a config with all that a training step needs.
class TrainedNetwork {
 public:
  explicit TrainedNetwork(const std::string& source, bool train = false)
      : config_(Config::from_source(source, "test.config")) {
    NetworkOptions options;
    options.train = train;
    built_ = NetworkWithGradients::differentiate(Network::build(config_, ExternData::from_config(config_), options));
    store_ = std::make_unique<ParamStore>(built_.network->params(), built_.backward_order);
    store_->initialize(1);
    std::mt19937 random(5);  // biases that start as zero would hide what padding does
    std::uniform_real_distribution<float> uniform(-0.3f, 0.3f);
    for (const std::string& name : store_->trainable_names()) {
      const Tensor value = store_->value(name);
      for (int64_t i = 0; i < value.elements(); ++i) value.data<float>()[i] += uniform(random);
    }
    runner_ = std::make_unique<NetworkRunner>(*built_.network, built_.gradients, *store_);
  }

  StepReport run(const Batch& batch, const RunOptions& options = {}) { return runner_->run(batch, options); }
  std::vector<float> gradient(const std::string& name) const { return store_->gradient(name).to_vector<float>(); }
  std::vector<std::string> params_with_gradient() const {
    std::vector<std::string> names;
    for (const auto& [name, gradient] : built_.gradients) names.push_back(name);
    return names;
  }
  const Config& config() const { return config_; }
  const Network& network() const { return *built_.network; }
  Executor& executor() { return runner_->executor(); }
  const Binding& binding() const { return runner_->binding(); }

 private:
  Config config_;
  NetworkWithGradients built_;
  std::unique_ptr<ParamStore> store_;
  std::unique_ptr<NetworkRunner> runner_;
};

/// "data" [B,T,width] of random numbers and "classes" [B,T] below `classes`,
/// with `padding` in padded frames of data.
inline Batch random_batch(const std::vector<int32_t>& lengths, int64_t width, int32_t classes, float padding = 0) {
  const auto count = static_cast<int64_t>(lengths.size());
  const int64_t time = lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end());
  std::mt19937 random(11);
  std::normal_distribution<float> normal;
  std::uniform_int_distribution<int32_t> label(0, classes - 1);
  std::vector<float> data(static_cast<size_t>(count * time * width), padding);
  std::vector<int32_t> labels(static_cast<size_t>(count * time), 0);
  Batch batch;
  for (int64_t b = 0; b < count; ++b) {
    for (int64_t t = 0; t < lengths[static_cast<size_t>(b)]; ++t) {
      const int64_t row = b * time + t;
      for (int64_t f = 0; f < width; ++f) data[static_cast<size_t>(row * width + f)] = normal(random);
      labels[static_cast<size_t>(row)] = label(random);
    }
    batch.indices.push_back(b);
    batch.tags.push_back("seq-" + std::to_string(b));
  }
  batch.data["data"] = Tensor::of<float>(data, {count, time, width});
  batch.data["classes"] = Tensor::of<int32_t>(labels, {count, time});
  batch.lengths["data"] = batch.lengths["classes"] = lengths;
  return batch;
}

}  // namespace wende::test
