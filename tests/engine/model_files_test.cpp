#include "engine/model_files.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <numeric>

#include "io/checkpoint.h"
#include "optim/optim_config.h"

namespace wende {
namespace {

namespace fs = std::filesystem;

std::vector<int> up_to(int last) {
  std::vector<int> epochs(static_cast<size_t>(last));
  std::iota(epochs.begin(), epochs.end(), 1);
  return epochs;
}

using Scores = std::map<int, EpochData>;

Scores scored(const std::vector<int>& epochs, const std::string& key, const std::function<double(int)>& score,
              Scores scores = {}) {
  for (const int epoch : epochs) scores[epoch].error[key] = score(epoch);
  return scores;
}

/// What is still there after a clean-up by these rules.
std::vector<int> kept(const Options& rules, const std::vector<int>& saved, const Scores& scores) {
  const Value value = rules.empty() ? Value::of(true) : dict_of(rules);
  const std::set<int> keep = ModelFiles::epochs_to_keep(value, saved, scores);
  std::vector<int> result;
  for (const int epoch : saved) {
    if (keep.count(epoch) != 0) result.push_back(epoch);
  }
  return result;
}

Value list_of(const std::vector<int64_t>& numbers) {
  std::vector<Value> items;
  for (const int64_t number : numbers) items.push_back(Value::of(number));
  return Value::list(items);
}

using Epochs = std::vector<int>;

// All expected lists were printed by RETURNN's own cleanup_old_models (1.2026, dry run).
TEST(ModelCleanUp, DefaultPatternByLastEpoch) {
  const std::map<int, Epochs> expected{{6, {3, 4, 5, 6}},
                                       {10, {4, 5, 7, 8, 9, 10}},
                                       {11, {5, 8, 9, 10, 11}},
                                       {50, {5, 10, 20, 40, 47, 48, 49, 50}},
                                       {51, {10, 20, 40, 48, 49, 50, 51}},
                                       {100, {10, 20, 40, 80, 97, 98, 99, 100}},
                                       {101, {20, 40, 80, 98, 99, 100, 101}},
                                       {240, {20, 40, 80, 160, 237, 238, 239, 240}},
                                       {480, {20, 40, 80, 160, 320, 477, 478, 479, 480}},
                                       {500, {20, 40, 80, 160, 320, 497, 498, 499, 500}}};
  for (const auto& [last, epochs] : expected) {
    const Epochs saved = up_to(last);
    EXPECT_EQ(kept({}, saved, scored(saved, "dev_score", [](int epoch) { return 1.0 / epoch; })), epochs) << last;
  }
}

TEST(ModelCleanUp, BestOfEachKey) {
  const Epochs saved = up_to(12);
  Scores scores = scored(saved, "dev_score", [](int epoch) { return std::abs(epoch - 5) + 0.5; });
  scores = scored(
      saved, "dev_error", [](int epoch) { return std::abs(epoch - 9) + 0.25; }, scores);
  EXPECT_EQ(kept({}, saved, scores), (Epochs{3, 4, 5, 6, 7, 8, 9, 10, 11, 12}));
  EXPECT_EQ(
      kept({{"keep", list_of({3, 40})}, {"keep_best_n", Value::of(int64_t{1})}, {"keep_last_n", Value::of(int64_t{1})}},
           saved, scores),
      (Epochs{3, 5, 9, 12}));
  EXPECT_EQ(kept({{"keep", list_of({})}, {"keep_best_n", Value::of(int64_t{0})}}, saved, scores), (Epochs{11, 12}));
  EXPECT_EQ(
      kept({{"keep", list_of({})}, {"keep_best_n", Value::of(int64_t{2})}, {"keep_last_n", Value::of(int64_t{5})}},
           saved, scores),
      (Epochs{4, 5, 8, 9, 10, 11, 12}));
}

TEST(ModelCleanUp, KeysThatSayNothing) {
  const Epochs saved = up_to(12);
  Scores scores = scored(saved, "dev_score", [](int epoch) { return std::abs(epoch - 5) + 0.5; });
  scores = scored(
      saved, "train_error", [](int) { return 0.5; }, scores);
  EXPECT_EQ(kept({{"keep", list_of({})}, {"keep_best_n", Value::of(int64_t{2})}}, saved, scores),
            (Epochs{4, 5, 11, 12}));
}

TEST(ModelCleanUp, MissingScoresAreTheWorst) {
  const Epochs saved = up_to(12);
  Scores scores = scored({5, 6, 7, 8, 9, 10, 11, 12}, "dev_score", [](int epoch) { return std::abs(epoch - 5) + 0.5; });
  scores = scored(
      {1, 2, 3, 4}, "train_score", [](int epoch) { return double(epoch); }, scores);
  EXPECT_EQ(kept({{"keep", list_of({})}, {"keep_best_n", Value::of(int64_t{3})}}, saved, scores),
            (Epochs{1, 2, 3, 5, 6, 7, 11, 12}));
}

TEST(ModelCleanUp, TiesGapsAndFewModels) {
  const Epochs saved = up_to(12);
  EXPECT_EQ(kept({{"keep", list_of({})}, {"keep_best_n", Value::of(int64_t{2})}}, saved,
                 scored(saved, "dev_score", [](int epoch) { return double(epoch / 4); })),
            (Epochs{1, 2, 11, 12}));
  const Epochs gaps{2, 5, 9, 10, 17};
  EXPECT_EQ(kept({{"keep_best_n", Value::of(int64_t{1})}}, gaps,
                 scored(gaps, "dev_score", [](int epoch) { return 1.0 / epoch; })),
            (Epochs{5, 10, 17}));
  EXPECT_EQ(kept({{"keep_last_n", Value::of(int64_t{3})}}, {1, 2, 3, 4},
                 scored({1, 2, 3, 4}, "dev_score", [](int epoch) { return 1.0 / epoch; })),
            (Epochs{1, 2, 3, 4}));
}

TEST(ModelCleanUp, RulesInATupleAreNone) {
  const Value rules = Value::list({dict_of({{"keep", list_of({3, 7})}})}, Value::Kind::kTuple);
  const Epochs saved = up_to(20);
  const Scores scores = scored(saved, "dev_score", [](int epoch) { return 1.0 / epoch; });
  std::set<int> keep = ModelFiles::epochs_to_keep(rules, saved, scores);
  std::erase_if(keep, [](int epoch) { return epoch > 20; });
  EXPECT_EQ(keep, (std::set<int>{5, 10, 17, 18, 19, 20}));
}

std::string fault_of(const Options& rules) {
  try {
    ModelFiles::check_rules(dict_of(rules));
  } catch (const Error& error) {
    return error.what();
  }
  return "none";
}

TEST(ModelCleanUp, BadRules) {
  EXPECT_EQ(fault_of({{"keep", list_of({3})}, {"keep_best_n", Value::of(int64_t{0})}}), "none");
  EXPECT_NE(fault_of({{"keep_last_n", Value::of(int64_t{0})}}).find("keep_last_n must be >= 1, got 0"),
            std::string::npos);
  EXPECT_NE(fault_of({{"ignore_score_keys", list_of({})}}).find("unknown key 'ignore_score_keys'"), std::string::npos);
  EXPECT_NE(fault_of({{"keep_best", Value::of(int64_t{1})}}).find("did you mean 'keep_best_n'"), std::string::npos);
  EXPECT_NE(fault_of({{"keep", Value::of("all")}}).find("a list"), std::string::npos);
}

class ModelFolder : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("wende_model_files_" + std::to_string(getpid()));
    fs::create_directories(folder_);
  }
  void TearDown() override { fs::remove_all(folder_); }
  std::string base() const { return (folder_ / "net").string(); }
  void save(const std::string& path) const {
    Checkpoint checkpoint;
    checkpoint.params["w"] = Tensor::of<float>({1, 2}, {2});
    checkpoint.counters = {{"epoch", 1}, {"global_step", 1}, {"world_size", 1}};
    save_checkpoint(path, checkpoint);
  }
  fs::path folder_;
};

TEST_F(ModelFolder, OnlyCompleteCheckpointsCount) {
  const ModelFiles files(config_of({{"model", Value::of(base())}}));
  EXPECT_TRUE(files.enabled());
  EXPECT_EQ(files.epoch_path(7), base() + ".007.wende");
  EXPECT_TRUE(files.saved_epochs().empty());
  for (const int epoch : {2, 10, 1}) save(files.epoch_path(epoch));
  save(base() + "2.003.wende");                 // another model
  save(files.mid_epoch_path());                 // not an epoch
  save(files.epoch_path(0));                    // initial values
  save(base() + ".4x.wende");                   // no number
  fs::create_directories(files.epoch_path(5));  // empty
  save(files.epoch_path(6));
  fs::remove(fs::path(files.epoch_path(6)) / "manifest.json");  // cut short
  EXPECT_EQ(files.saved_epochs(), (std::vector<int>{1, 2, 10}));
}

TEST_F(ModelFolder, CleanUpRemovesWhatTheRulesSay) {
  const Value rules = dict_of({{"keep", list_of({3})}, {"keep_best_n", Value::of(int64_t{1})}});
  const ModelFiles files(config_of({{"model", Value::of(base())}, {"cleanup_old_models", rules}}));
  const Epochs saved = up_to(8);
  for (const int epoch : saved) save(files.epoch_path(epoch));
  save(base() + "2.001.wende");
  files.clean_up(scored(saved, "dev_score", [](int epoch) { return std::abs(epoch - 4); }));
  EXPECT_EQ(files.saved_epochs(), (std::vector<int>{3, 4, 7, 8}));
  EXPECT_TRUE(fs::exists(base() + "2.001.wende"));
}

TEST_F(ModelFolder, NothingIsRemovedUnasked) {
  for (const Options& options : {Options{{"model", Value::of(base())}},
                                 Options{{"model", Value::of(base())}, {"cleanup_old_models", Value::of(false)}}}) {
    const ModelFiles files(config_of(options));
    for (const int epoch : up_to(12)) {
      if (!fs::exists(files.epoch_path(epoch))) save(files.epoch_path(epoch));
    }
    files.clean_up(scored(up_to(12), "dev_score", [](int epoch) { return 1.0 / epoch; }));
    EXPECT_EQ(files.saved_epochs().size(), 12u);
  }
  EXPECT_FALSE(ModelFiles(config_of({})).enabled());
}

}  // namespace
}  // namespace wende
