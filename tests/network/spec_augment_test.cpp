#include <gtest/gtest.h>

#include "graph/executor.h"
#include "network_of.h"

namespace wende {
namespace {

/// SpecAugment in the manner of many configs: masks of random number, place and width, by TensorFlow functions.
const std::string kConfig = R"PY(
extern_data = {"data": {"dim": 12}}

def hide(x, batch_axis, axis, first, widest):
    import tensorflow as tf
    from TFUtil import where_bc
    size = tf.shape(x)[axis]
    width = tf.random_uniform(shape=(tf.shape(x)[batch_axis],), minval=1, maxval=widest + 1, dtype=tf.int32)
    last = tf.minimum(first + width, size)
    at = tf.expand_dims(tf.range(0, size), 0)
    hidden = tf.logical_and(tf.greater_equal(at, tf.expand_dims(first, 1)), tf.less(at, tf.expand_dims(last, 1)))
    hidden = tf.reshape(hidden, [tf.shape(x)[i] if i in (batch_axis, axis) else 1 for i in range(x.get_shape().ndims)])
    return where_bc(hidden, 0.0, x)

def hide_some(x, batch_axis, axis, least, most, widest):
    import tensorflow as tf
    batch = tf.shape(x)[batch_axis]
    count = tf.random_uniform(shape=(batch,), minval=least, maxval=most + 1, dtype=tf.int32)
    noise = -tf.log(-tf.log(tf.random_uniform((batch, tf.shape(x)[axis]), 0, 1)))
    _, places = tf.nn.top_k(noise, tf.reduce_max(count))
    _, x = tf.while_loop(
        cond=lambda i, _: tf.less(i, tf.reduce_max(count)),
        body=lambda i, x: (i + 1, tf.where(tf.less(i, count), hide(x, batch_axis, axis, places[:, i], widest), x)),
        loop_vars=(0, x))
    return x

def transform(data, network):
    import tensorflow as tf
    x = data.placeholder
    late = tf.where(tf.greater_equal(network.global_train_step, 1000), 1, 0)
    def masked():
        y = hide_some(x, data.batch_dim_axis, data.time_dim_axis, 1 + late,
                      tf.maximum(tf.shape(x)[data.time_dim_axis] // 10, 2) * (1 + late), 3)
        return hide_some(y, data.batch_dim_axis, data.feature_dim_axis, 1, 2, data.dim // 5)
    return network.cond_on_train(masked, lambda: x)

network = {"output": {"class": "eval", "from": "data",
    "eval": "self.network.get_config().typed_value('transform')(source(0, as_data=True), network=self.network)"}}
)PY";

struct Masked {
  int64_t frames = 0;    ///< hidden as a whole, over all sequences
  int64_t features = 0;  ///< hidden as a whole
};

class SpecAugment : public testing::Test {
 protected:
  static constexpr int64_t kBatch = 4, kFrames = 40, kFeatures = 12;

  Tensor run(bool train, uint64_t step) {
    NetworkOptions options;
    options.train = train;
    const auto network = network_of(kConfig, options);
    const Data& data = network->extern_data().keys.at("data");
    Executor executor(network->graph(), {{network->find_layer("output")->output.expr, {}}});
    const Shape shape{kBatch, kFrames, kFeatures};
    executor.bind("data:data", Tensor::of(std::vector<float>(static_cast<size_t>(shape.elements()), 1.0f), shape));
    Binding binding;
    binding.bind(data.dims[0], kBatch);
    binding.bind_lengths(data.dims[1], {40, 40, 30, 20});
    RunOptions run_options;
    run_options.step = step;
    return executor.run(binding, run_options)[0].clone();
  }

  /// Every hidden element lies in a hidden frame or a hidden feature of its sequence.
  static Masked count(const Tensor& x, int64_t b) {
    const float* values = x.data<float>() + b * kFrames * kFeatures;
    std::vector<bool> frames(kFrames, true), features(kFeatures, true);
    for (int64_t i = 0; i < kFrames * kFeatures; ++i) {
      const bool hidden = values[i] == 0.0f;
      EXPECT_TRUE(hidden || values[i] == 1.0f);
      frames[static_cast<size_t>(i / kFeatures)] = frames[static_cast<size_t>(i / kFeatures)] && hidden;
      features[static_cast<size_t>(i % kFeatures)] = features[static_cast<size_t>(i % kFeatures)] && hidden;
    }
    for (int64_t i = 0; i < kFrames * kFeatures; ++i) {
      EXPECT_EQ(values[i] == 0.0f,
                frames[static_cast<size_t>(i / kFeatures)] || features[static_cast<size_t>(i % kFeatures)]);
    }
    return {std::count(frames.begin(), frames.end(), true), std::count(features.begin(), features.end(), true)};
  }
};

TEST_F(SpecAugment, HidesBlocksInTraining) {
  int64_t frames = 0, features = 0, most = 0;
  for (uint64_t step = 0; step < 50; ++step) {
    const Tensor x = run(true, step);
    for (int64_t b = 0; b < kBatch; ++b) {
      const Masked masked = count(x, b);
      ASSERT_GE(masked.frames, 1);
      ASSERT_LE(masked.frames, 4 * 3);
      ASSERT_GE(masked.features, 1);
      ASSERT_LE(masked.features, 2 * 2);
      frames += masked.frames;
      features += masked.features;
      most = std::max(most, masked.frames);
    }
  }
  // 2.5 masks of mean width 2, less overlaps and the cut at the end; 1.5 of mean width 1.5.
  EXPECT_NEAR(static_cast<double>(frames) / 200, 4.6, 0.6);
  EXPECT_NEAR(static_cast<double>(features) / 200, 2.05, 0.35);
  EXPECT_GT(most, 7);
  EXPECT_EQ(run(true, 7).to_vector<float>(), run(true, 7).to_vector<float>());
  EXPECT_NE(run(true, 7).to_vector<float>(), run(true, 8).to_vector<float>());
}

TEST_F(SpecAugment, LaterMoreAndNothingInEvaluation) {
  int64_t frames = 0;
  for (uint64_t step = 1000; step < 1030; ++step) {
    const Tensor x = run(true, step);
    for (int64_t b = 0; b < kBatch; ++b) {
      frames += count(x, b).frames;
    }
  }
  EXPECT_GT(static_cast<double>(frames) / 120, 7.0);  // 2 to 8 masks
  for (const float value : run(false, 0).to_vector<float>()) {
    ASSERT_EQ(value, 1.0f);
  }
}

TEST(Traced, AssertionsOfControlDependencies) {
  const std::string config = R"PY(
extern_data = {"data": {"dim": 3}}
def check(layer):
    import tensorflow as tf
    return [tf.assert_less(layer.output.placeholder, 5.0, message="too large")]
network = {"output": {"class": "copy", "from": "data", "control_dependencies_on_output": check}}
)PY";
  const auto network = network_of(config);
  const Data& data = network->extern_data().keys.at("data");
  Executor executor(network->graph(), {{network->find_layer("output")->output.expr, {}}});
  Binding binding;
  binding.bind(data.dims[0], 1);
  binding.bind_lengths(data.dims[1], {2});
  executor.bind("data:data", Tensor::of(std::vector<float>{0, 1, 2, 3, 4, 4}, Shape{1, 2, 3}));
  EXPECT_EQ(executor.run(binding)[0].data<float>()[5], 4.0f);
  executor.bind("data:data", Tensor::of(std::vector<float>{0, 1, 2, 3, 4, 5}, Shape{1, 2, 3}));
  try {
    executor.run(binding);
    ADD_FAILURE() << "no error";
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("too large"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wende
