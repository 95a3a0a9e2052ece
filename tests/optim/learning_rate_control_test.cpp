#include "optim/learning_rate_control.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "optim/optim_config.h"

namespace wende {
namespace {

const char* const kText =
    "{\n1: EpochData(learningRate=0.001, error={\n':meta:effective_learning_rate': 0.001,\n"
    "':meta:epoch_num_train_steps': 55,\n':meta:epoch_train_time_secs': 25,\n':meta:global_train_step': 0,\n"
    "'dev_error': 0.3095846116521854,\n'dev_score': 1.0126158698929335,\n'train_error': 0.4724804046792213,\n"
    "'train_score': 1.8264280455476498,\n}),\n2: EpochData(learningRate=1e-05, error={\n'dev_score_output/prob': nan,\n"
    "'train_score': 1e+16,\n}),\n3: EpochData(learningRate=1.0, error={\n}),\n}\n";

std::string path_of_test(const std::string& name) {
  return (std::filesystem::temp_directory_path() / (name + std::to_string(::getpid()))).string();
}

TEST(LearningRateFile, TextComesBackByteForByte) {
  const std::string file = path_of_test("wende_lr_");
  std::ofstream(file) << kText;
  LearningRateControl control(config_of({{"learning_rate_file", Value::of(file)}}));
  control.load();
  EXPECT_EQ(control.file_text(), kText);
  control.save();
  std::ifstream again(file);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(again), {}), kText);
  std::filesystem::remove(file);
}

TEST(LearningRateFile, ErrorsNameTheLine) {
  auto message = [](const std::string& text) -> std::string {
    try {
      LearningRateControl::parse(text, "lr.txt");
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kMalformedInput);
      return error.what();
    }
    return "";
  };
  EXPECT_NE(message("{\n1: EpochData(learningRate=0.1, error={\n'x': __import__('os'),\n}),\n}\n").find("lr.txt:3"),
            std::string::npos);
  for (const char* text :
       {"", "{", "{1: EpochData()}", "{1: EpochData(learningRate=0.1)} x", "{0: EpochData(learningRate=1.0)}",
        "{1: EpochData(learningRate=1.0), 1: EpochData(learningRate=1.0)}"}) {
    EXPECT_NE(message(text), "") << text;
  }
}

TEST(LearningRateFile, RandomDamageIsRefusedOrRead) {
  std::mt19937 random(7);
  const std::string text = kText;
  for (int round = 0; round < 5000; ++round) {
    std::string damaged = text;
    for (unsigned change = 0; change <= random() % 4; ++change) {
      const size_t at = random() % damaged.size();
      if (random() % 3 == 0)
        damaged.erase(at, random() % 9);
      else if (random() % 2 == 0)
        damaged[at] = static_cast<char>(random() % 256);
      else
        damaged.insert(damaged.begin() + static_cast<int64_t>(at), "{}()'\\,:-\"#1e\n"[random() % 14]);
      if (damaged.empty()) break;
    }
    try {
      LearningRateControl::parse(damaged, "x");
    } catch (const Error& error) {
      ASSERT_EQ(error.status(), ExitStatus::kMalformedInput);
    }
  }
}

std::vector<double> rates(const Options& options, const std::vector<double>& scores) {
  LearningRateControl control(config_of(options));
  std::vector<double> result;
  for (size_t i = 0; i < scores.size(); ++i) {
    result.push_back(control.learning_rate(static_cast<int>(i) + 1));
    control.set_error(static_cast<int>(i) + 1, {{"dev_score", scores[i]}, {"train_score", 1.0}});
  }
  return result;
}

TEST(LearningRateControl, Rules) {
  const Value one = Value::of(1.0);
  auto with = [&](const char* rule, Options more = {}) {
    more.push_back({"learning_rate", one});
    more.push_back({"learning_rate_control", Value::of(rule)});
    return more;
  };
  using Rates = std::vector<double>;
  EXPECT_EQ(rates(with("constant"), {2, 3, 4}), (Rates{1, 1, 1}));
  EXPECT_EQ(rates(with("newbob"), {2, 1.9, 1.895, 1.5}), (Rates{1, 1, 1, 0.5}));
  EXPECT_EQ(rates(with("newbob", {{"min_learning_rate", Value::of(0.4)}}), {2, 2, 2, 2}), (Rates{1, 1, 0.5, 0.4}));
  EXPECT_EQ(rates(with("newbob_abs"), {0.2, 0.195, 0.1, 0.1}), (Rates{1, 1, 0.5, 0.5}));
  EXPECT_EQ(rates(with("newbob", {{"learning_rate_control_min_num_epochs_per_new_lr", Value::of(int64_t{2})}}),
                  {2, 2, 2, 2, 2}),
            (Rates{1, 1, 0.5, 0.5, 0.25}));
  EXPECT_EQ(rates(with("newbob_multi_epoch", {{"newbob_multi_num_epochs", Value::of(int64_t{2})},
                                              {"newbob_multi_update_interval", Value::of(int64_t{1})}}),
                  {2, 1, 1, 1, 1}),
            (Rates{1, 1, 1, 1, 0.5}));
  EXPECT_EQ(rates(with("newbob", {{"learning_rates", Value::list({Value::of(0.1), Value::of(0.2)})}}), {2, 2, 2}),
            (Rates{0.1, 0.2, 0.1}));
}

TEST(LearningRateControl, ScoreKeys) {
  LearningRateControl control(config_of({{"learning_rate_control_error_measure", Value::of("dev_score_out")}}));
  control.set_error(1, {{"dev_error", 1}, {"dev_score_output/prob", 2}, {":meta:x", 9}});
  EXPECT_EQ(control.score(1), 2);
  control.set_error(1, {{"dev_score_out", 3}});
  EXPECT_EQ(control.score(1), 3);
  EXPECT_TRUE(std::isnan(control.score(2)));
  EXPECT_THROW(LearningRateControl(config_of({{"learning_rate_control", Value::of("newbop")}})), Error);
}

}  // namespace
}  // namespace wende
