#include "optim/optimizer.h"

#include <gtest/gtest.h>

#include "optim/optim_config.h"
#include "optim/updater.h"
#include "tensor/placement.h"

namespace wende {
namespace {

std::vector<ParamSpec> one_param() {
  return {{"a/W", DType::kFloat32, Shape{2, 2}, true,
           [](const Tensor& target, uint64_t) {
             target.copy_from(Tensor::of<float>({0.5f, -0.25f, 1, -2}, Shape{2, 2}));
           },
           "a"}};
}

const std::vector<std::vector<float>> kGradients = {
    {0.1f, -0.2f, 0.3f, 0.05f}, {-0.4f, 0.25f, 0.5f, -0.01f}, {0.2f, 0.1f, -0.6f, 0.02f}};

struct Case {
  Options options;
  std::vector<float> after;  ///< three steps, learning rate 0.05
};

/// Numbers of a numpy model of each formula; the same model reproduces RETURNN's recordings o01 to o31.
std::vector<Case> cases() {
  return {
      {{{"class", Value::of("gradientdescent")}}, {0.5050000f, -0.2575000f, 0.9900000f, -2.0030000f}},
      {{{"class", Value::of("sgd")}}, {0.5050000f, -0.2575000f, 0.9900000f, -2.0030000f}},
      {{{"class", Value::of("sgd")}, {"momentum", Value::of(0.9)}, {"nesterov", Value::of(true)}},
       {0.5180050f, -0.2589850f, 0.9376650f, -2.0091425f}},
      {{{"class", Value::of("sgd")}, {"momentum", Value::of(0.9)}}, {0.5144500f, -0.2516500f, 0.9418500f, -2.0068250f}},
      {{{"class", Value::of("momentum")}, {"momentum", Value::of(0.9)}},
       {0.5144500f, -0.2516500f, 0.9418500f, -2.0068250f}},
      {{{"class", Value::of("momentum")}, {"momentum", Value::of(0.9)}, {"use_nesterov", Value::of(true)}},
       {0.5180050f, -0.2589850f, 0.9376650f, -2.0091425f}},
      {{{"class", Value::of("adam")}}, {0.4834839f, -0.2236687f, 0.8973089f, -2.1056093f}},
      {{{"class", Value::of("adam")},
        {"beta1", Value::of(0.8)},
        {"beta2", Value::of(0.99)},
        {"epsilon", Value::of(0.001)}},
       {0.4884874f, -0.2307776f, 0.9029926f, -2.0851828f}},
      {{{"class", Value::of("customadam")}}, {0.4834839f, -0.2236687f, 0.8973089f, -2.1056093f}},
      {{{"class", Value::of("nadam")}}, {0.4572864f, -0.2148901f, 0.8485821f, -2.1494210f}},
      {{{"class", Value::of("nadam")}, {"epsilon", Value::of(1e-08)}, {"beta1", Value::of(0.85)}},
       {0.4589271f, -0.2198354f, 0.8553770f, -2.1429005f}},
      {{{"class", Value::of("nadamkeras")}, {"epsilon", Value::of(1e-07)}},
       {0.4696869f, -0.2348166f, 0.9357779f, -2.0610232f}},
      {{{"class", Value::of("adamw")}, {"weight_decay", Value::of(0.1)}},
       {0.4763802f, -0.2203955f, 0.8831282f, -2.0751325f}},
      {{{"class", Value::of("rmsprop")}, {"decay", Value::of(0.8)}, {"momentum", Value::of(0.5)}},
       {0.5132598f, -0.2605042f, 0.9639274f, -2.0053497f}},
      {{{"class", Value::of("adagrad")}}, {0.5054539f, -0.2618982f, 0.9614397f, -2.0093636f}},
      {{{"class", Value::of("adadelta")}, {"rho", Value::of(0.9)}, {"epsilon", Value::of(0.0001)}},
       {0.4992436f, -0.2510842f, 0.9986437f, -2.0016729f}},
      {{{"class", Value::of("adamax")}}, {0.4986349f, -0.2466326f, 0.8652500f, -2.1366382f}},
      {{{"class", Value::of("normalizedsgd")}}, {0.5002376f, -0.2494971f, 0.9707275f, -2.0074563f}},
      {{{"class", Value::of("gradvariancescaled")}}, {0.4999728f, -0.2500795f, 1.0000001f, -2.0000074f}},
      {{{"class", Value::of("ftrl")}}, {0.0287226f, -0.0506096f, 0.2359635f, -0.0339044f}},
  };
}

TEST(Optimizer, ThreeStepsAsRecorded) {
  for (const Case& example : cases()) {
    ParamStore params(one_param(), {}, test_device());
    params.initialize(1);
    Updater updater(config_of({{"optimizer", dict_of(example.options)}}), params, {});
    for (size_t step = 0; step < kGradients.size(); ++step) {
      params.gradient("a/W").copy_from(Tensor::of<float>(kGradients[step], Shape{2, 2}));
      updater.step(0.05, static_cast<int64_t>(step), 1, {{"a/W", true}});
    }
    std::vector<float> values = on_host(params.value("a/W")).to_vector<float>();
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(values[i], example.after[i], 2e-6) << dict_of(example.options).repr();
  }
}

TEST(Optimizer, NamesWithAndWithoutSuffix) {
  EXPECT_EQ(optimizer_key("AdamOptimizer"), "adam");
  EXPECT_EQ(optimizer_key("NadamKeras"), "nadamkeras");
  Value options = dict_of({});
  EXPECT_NE(make_optimizer("GradientDescentOptimizer", Value::of("x"), options.without("x"), {}), nullptr);
}

TEST(Optimizer, UnknownClassAndOptionAreRefused) {
  ParamStore params(one_param(), {});
  auto message = [&](const Options& options) -> std::string {
    try {
      Updater updater(config_of({{"optimizer", dict_of(options)}}), params, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kConfig);
      return error.what();
    }
    return "";
  };
  std::string text = message({{"class", Value::of("adamm")}});
  EXPECT_NE(text.find("'adamm'"), std::string::npos);
  EXPECT_NE(text.find("did you mean 'adam'"), std::string::npos) << text;
  EXPECT_NE(text.find("nadam"), std::string::npos);
  text = message({{"class", Value::of("adam")}, {"momentum", Value::of(0.9)}});
  EXPECT_NE(text.find("momentum"), std::string::npos);
  EXPECT_NE(text.find("adam"), std::string::npos) << text;
  EXPECT_NE(message({{"class", Value::of("adam")}, {"learning_rate", Value::of(0.9)}}), "");
}

}  // namespace
}  // namespace wende
