#include "optim/updater.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "optim/optim_config.h"
#include "tensor/placement.h"

namespace wende {
namespace {

/// Parameters a [2], b [2] with values 0; gradients (3, 4) and (0, 12): norms 5, 12, together 13.
struct Fixture {
  explicit Fixture(const Options& options, const std::map<std::string, Value>& layer_opts = {},
                   const std::map<std::string, double>& l2 = {})
      : params(specs(), {}, test_device()), updater(config_of(options), params, layer_opts, l2) {}

  static std::vector<ParamSpec> specs() {
    return {{"a", DType::kFloat32, Shape{2}, true, nullptr, "a"}, {"b", DType::kFloat32, Shape{2}, true, nullptr, "b"}};
  }
  void step(int64_t number, double rate = 1, const std::map<std::string, RowSums>& rows = {}) {
    params.gradient("a").copy_from(Tensor::of<float>({3, 4}, Shape{2}));
    params.gradient("b").copy_from(Tensor::of<float>({0, 12}, Shape{2}));
    updater.step(rate, number, 1, {{"a", true}, {"b", true}}, UpdateBy::kObjective, rows);
  }
  float a0() const { return on_host(params.value("a")).to_vector<float>()[0]; }
  float b1() const { return on_host(params.value("b")).to_vector<float>()[1]; }

  ParamStore params;
  Updater updater;
};

TEST(Updater, Clipping) {
  struct Row {
    const char* option;
    double limit;
    float a0, b1;
  };
  for (const Row& row : {Row{"gradient_clip", 3.5, 3, 3.5f}, Row{"gradient_clip_norm", 6, 3, 6},
                         Row{"gradient_clip_avg_norm", 2, 2.4f, 4}, Row{"gradient_clip_global_norm", 1.3, 0.3f, 1.2f},
                         Row{"grad_norm_to_clip_to_zero", 12.5, 0, 0}, Row{"grad_norm_to_clip_to_zero", 13.5, 3, 12}}) {
    Fixture fixture({{row.option, Value::of(row.limit)}});
    fixture.step(0);
    EXPECT_NEAR(fixture.a0(), -row.a0, 1e-5) << row.option;
    EXPECT_NEAR(fixture.b1(), -row.b1, 1e-5) << row.option;
  }
}

/// The rows of a's gradient have 256 as sum of squares, though their sum has 25: norms are of the rows, unless the
/// gradient has been added up over steps before.
TEST(Updater, NormsOfRows) {
  struct Row {
    const char* option;
    double limit;
    int64_t accumulated;
    float a0, b1;
  };
  for (const Row& row :
       {Row{"gradient_clip_global_norm", 10, 0, 1.5f, 6}, Row{"gradient_clip_norm", 8, 0, 1.5f, 8},
        Row{"gradient_clip_norm", 8, 1, 3, 8}, Row{"grad_norm_to_clip_to_zero", 19, 0, 0, 0},
        Row{"grad_norm_to_clip_to_zero", 21, 0, 3, 12}, Row{"gradient_clip_global_norm", 10, 1, 1.5f, 6}}) {
    Fixture fixture({{row.option, Value::of(row.limit)}, {"accum_grad_multiple_step", Value::of(row.accumulated)}});
    fixture.step(0, 1, {{"a", {256, {}}}});
    EXPECT_NEAR(fixture.a0(), -row.a0, 1e-5) << row.option;
    EXPECT_NEAR(fixture.b1(), -row.b1, 1e-5) << row.option;
  }
}

/// Two rows of one weight; the second step touches the first row alone.
TEST(Updater, RowsWithoutFrames) {
  struct Row {
    const char* option;
    double value;
    float a1;
  };
  for (const Row& row : {Row{"momentum", 0.5, -4}, Row{"gradient_clip_avg_norm", 100, -6}}) {
    Fixture fixture({{"momentum", Value::of(0.5)}, {row.option, Value::of(row.value)}});
    fixture.step(0, 1, {{"a", {25, {2, 1}}}});
    fixture.params.gradient("a").copy_from(Tensor::of<float>({3, 0}, Shape{2}));
    fixture.updater.step(1, 1, 1, {{"a", true}}, UpdateBy::kObjective, {{"a", {9, {1, 0}}}});
    EXPECT_NEAR(fixture.a0(), -7.5f, 1e-5);
    EXPECT_NEAR(on_host(fixture.params.value("a")).to_vector<float>()[1], row.a1, 1e-5) << row.option;
  }
}

TEST(Updater, MomentsOfRowsWithoutFramesFade) {
  Fixture fixture({{"optimizer", Value::dict({{Value::of("class"), Value::of("nadam")}})}});
  fixture.step(0, 1, {{"a", {25, {1, 1}}}});
  const float before = on_host(fixture.params.value("a")).to_vector<float>()[1];
  fixture.params.gradient("a").copy_from(Tensor::of<float>({3, 0}, Shape{2}));
  fixture.updater.step(1, 1, 1, {{"a", true}}, UpdateBy::kObjective, {{"a", {9, {1, 0}}}});
  EXPECT_EQ(on_host(fixture.params.value("a")).to_vector<float>()[1], before);
  EXPECT_NEAR(on_host(fixture.updater.state().at("a/adam_m")).to_vector<float>()[1], 0.9f * 0.1f * 4, 1e-6);
  EXPECT_NEAR(on_host(fixture.updater.state().at("a/adam_v")).to_vector<float>()[1], 0.999f * 0.001f * 16, 1e-6);
}

/// In weights of the part, which begins inside of row 1 and ends inside of row 3.
TEST(Updater, RowRangesOfPart) {
  const auto is = [](const ShardRange& range, size_t begin, size_t end) { return range == ShardRange{begin, end}; };
  const std::vector<ShardRange> touched = row_ranges({1, 2, 0, 1}, 4, {6, 14}, true);
  ASSERT_EQ(touched.size(), 2u);
  EXPECT_TRUE(is(touched[0], 0, 2) && is(touched[1], 6, 8));
  const std::vector<ShardRange> others = row_ranges({1, 2, 0, 1}, 4, {6, 14}, false);
  ASSERT_EQ(others.size(), 1u);
  EXPECT_TRUE(is(others[0], 2, 6));
}

TEST(Updater, NanFilterKeepsWeights) {
  Fixture fixture({{"gradient_nan_inf_filter", Value::of(true)}});
  fixture.params.gradient("a").copy_from(Tensor::of<float>({std::nanf(""), 1}, Shape{2}));
  fixture.updater.step(1, 0, 1, {{"a", true}});
  EXPECT_EQ(on_host(fixture.params.value("a")).to_vector<float>(), (std::vector<float>{0, -1}));
}

/// tf.truncated_normal(stddev=0.1): cut at two deviations, where a normal distribution keeps 0.8796 of its deviation.
TEST(Updater, GradientNoise) {
  const std::vector<ParamSpec> specs = {{"w", DType::kFloat32, Shape{20000}, true, nullptr, "w"},
                                        {"v", DType::kFloat32, Shape{20000}, true, nullptr, "v"}};
  ParamStore params(specs, {}, test_device());
  Updater updater(config_of({{"gradient_noise", Value::of(0.1)}}), params, {});
  const auto noise = [&](int64_t step, const char* name) {
    const std::vector<float> ones(static_cast<size_t>(params.flat_gradients().elements()), 1.0f);
    params.flat_gradients().copy_from(Tensor::of<float>(ones, params.flat_gradients().shape()));
    updater.step(0, step, 1, {{"w", true}, {"v", true}});
    std::vector<float> values = updater.processed_gradients().at(name).to_vector<float>();
    for (float& value : values) value -= 1;
    return values;
  };
  const std::vector<float> first = noise(0, "w");
  double sum = 0;
  double squares = 0;
  for (const float x : first) {
    sum += x;
    squares += static_cast<double>(x) * x;
    ASSERT_LE(std::fabs(x), 0.2001f);
  }
  EXPECT_NEAR(sum / 20000, 0, 5 * 0.088 / std::sqrt(20000.0));
  EXPECT_NEAR(std::sqrt(squares / 20000), 0.08796, 0.002);
  EXPECT_EQ(first, noise(0, "w")) << "the same step, so that a run goes on as it was";
  EXPECT_NE(first, noise(1, "w"));
  EXPECT_NE(first, noise(0, "v"));
}

TEST(Updater, WhatIsNotThereIsRefused) {
  EXPECT_THROW(Fixture({{"maximize_grad_norm", Value::of(0.1)}}), Error);
  EXPECT_THROW(Fixture({}, {{"a", dict_of({{"maximize_grad_norm", Value::of(0.1)}})}}), Error);
}

TEST(Updater, AccumulationUpdatesInLastStepOfWindow) {
  Fixture fixture({{"accum_grad_multiple_step", Value::of(int64_t{2})}});
  fixture.step(0);
  EXPECT_EQ(fixture.a0(), 0);
  fixture.step(1);
  EXPECT_EQ(fixture.a0(), -6);
  // The next window has a sum of its own.
  fixture.step(2);
  fixture.step(3);
  EXPECT_EQ(fixture.a0(), -12);
}

TEST(Updater, SumsOfSeveralStepsGoOn) {
  const Options options = {{"accum_grad_multiple_step", Value::of(int64_t{3})},
                           {"gradient_noise", Value::of(0.1)},
                           {"gradient_clip", Value::of(20.0)},
                           {"gradient_clip_global_norm", Value::of(100.0)},
                           {"adam", Value::of(true)}};
  Fixture whole(options);
  for (int64_t step = 0; step < 6; ++step) whole.step(step, 0.1);
  Fixture first(options);
  for (int64_t step = 0; step < 5; ++step) first.step(step, 0.1);
  Fixture second(options);
  second.params.flat_values().copy_from(first.params.flat_values());
  second.updater.load_state(first.updater.state());
  EXPECT_EQ(on_host(second.updater.state().at("b/accum_grad")).to_vector<float>(), (std::vector<float>{0, 24}));
  second.step(5, 0.1);
  EXPECT_EQ(whole.a0(), second.a0());
  EXPECT_EQ(whole.b1(), second.b1());
}

TEST(Updater, LayerOptions) {
  Value own = dict_of({{"optimizer", dict_of({{"class", Value::of("momentum")},
                                              {"momentum", Value::of(0.5)},
                                              {"learning_rate_multiplier", Value::of(0.1)}})},
                       {"gradient_clip", Value::of(2.0)}});
  Fixture fixture({}, {{"a", own}});
  fixture.step(0);
  fixture.step(1);
  EXPECT_NEAR(fixture.a0(), -0.1f * (2 + 3), 1e-6);
  EXPECT_EQ(fixture.b1(), -24);
  EXPECT_EQ(fixture.updater.state().count("a/momentum"), 1u);
  EXPECT_EQ(fixture.updater.processed_gradients().at("a").to_vector<float>()[0], 2);
  EXPECT_THROW(Fixture({}, {{"a", dict_of({{"gradient_clipp", Value::of(2.0)}})}}), Error);
}

TEST(Updater, OlderOptionsAndMomentum) {
  EXPECT_EQ(Fixture({{"adam", Value::of(true)}}).updater.state().count("a/adam_m"), 1u);
  EXPECT_EQ(Fixture({{"momentum", Value::of(0.9)}}).updater.state().count("a/momentum"), 1u);
  EXPECT_EQ(Fixture({{"rmsprop", Value::of(0.9)}}).updater.state().count("a/rms"), 1u);
  EXPECT_EQ(Fixture({{"adam", Value::of(true)}, {"nadam", Value::of(true)}}).updater.state().count("a/adam_m"), 1u);
  EXPECT_THROW(Fixture({{"adam", Value::of(true)}, {"momentum", Value::of(0.9)}}), Error);
  EXPECT_EQ(Fixture({{"optimizer", Value::of("Adam")}}).updater.state().count("b/adam_v"), 1u);
}

TEST(Updater, DecoupledConstraintsAndDynamicRate) {
  Fixture fixture(
      {{"dynamic_learning_rate", dict_of({{"interval", Value::of(int64_t{3})}, {"decay", Value::of(0.5)}})}}, {},
      {{"a", 0.01}});
  EXPECT_EQ(fixture.updater.effective_learning_rate(1, 2, 1), 0.25);
  EXPECT_EQ(fixture.updater.effective_learning_rate(1, 3, 1), 1);
  fixture.step(0);
  fixture.step(1);
  EXPECT_NEAR(fixture.a0(), -3 * 0.98 - 1.5, 1e-5);
  EXPECT_NEAR(fixture.b1(), -12 - 6, 1e-5);
}

TEST(Updater, StateGoesOn) {
  Fixture whole({{"adam", Value::of(true)}});
  for (int64_t step = 0; step < 4; ++step) whole.step(step, 0.1);
  Fixture first({{"adam", Value::of(true)}});
  for (int64_t step = 0; step < 2; ++step) first.step(step, 0.1);
  Fixture second({{"adam", Value::of(true)}});
  second.params.flat_values().copy_from(first.params.flat_values());
  second.updater.load_state(first.updater.state());
  for (int64_t step = 2; step < 4; ++step) second.step(step, 0.1);
  EXPECT_EQ(whole.a0(), second.a0());
  EXPECT_EQ(whole.b1(), second.b1());
  Fixture other({});
  EXPECT_THROW(second.updater.load_state(other.updater.state()), Error);
}

TEST(ParamStore, OrderAndViews) {
  std::vector<ParamSpec> specs = {{"x", DType::kFloat32, Shape{3}, true, nullptr, "x"},
                                  {"mean", DType::kFloat32, Shape{2}, false, nullptr, "x"},
                                  {"count", DType::kInt64, Shape{}, false, nullptr, "x"},
                                  {"y", DType::kFloat32, Shape{2, 2}, true, nullptr, "y"}};
  ParamStore params(specs, {"y"});
  EXPECT_EQ(params.names(), (std::vector<std::string>{"x", "mean", "count", "y"}));
  EXPECT_EQ(params.trainable_names(), (std::vector<std::string>{"y", "x"}));
  EXPECT_EQ(params.offset("y"), 0u);
  EXPECT_EQ(params.value("x").data<float>(), params.flat_values().data<float>() + params.offset("x"));
  EXPECT_EQ(params.gradient("x").data<float>(), params.flat_gradients().data<float>() + params.offset("x"));
  EXPECT_EQ(params.flat_gradients().elements(),
            static_cast<int64_t>(params.offset("x") + 3 + ParamStore::extra_floats()));
  EXPECT_EQ(params.value("count").dtype(), DType::kInt64);
  EXPECT_THROW(params.gradient("mean"), Error);
}

}  // namespace
}  // namespace wende
