#include "wende/callback.h"

#include <gtest/gtest.h>

#include <cmath>

#include "engine/engine.h"
#include "engine/stat_book.h"

namespace wende {
namespace {

/// Keeps what it was told.
class Recorder : public Callback {
 public:
  void graph_made() override { calls.emplace_back("graph_made"); }
  void run_started(const RunInfo& run) override {
    calls.push_back("run_started " + run.dataset);
    steps_announced += run.steps;
  }
  void step_finished(const RunInfo& run, const StepInfo& step) override {
    EXPECT_GE(step.seconds, 0.0);
    EXPECT_NEAR(step.values.at("objective"), step.values.at("loss") + step.values.at("constraints"), 1e-3);
    EXPECT_GT(step.values.at("cost:output"), 0.0);
    EXPECT_EQ(step.stats.size(), 30u) << "every statistic in every step";
    frames += step.stats.at("stats:stats:batch_seq_length").at(0);
    if (run.train) {
      EXPECT_EQ(step.global_step, training_steps++);
    }
  }
  void run_finished(const RunInfo& run, const RunResult& result) override {
    calls.push_back("run_finished " + run.dataset);
    EXPECT_EQ(result.stats.at("stats:stats:accumulated_seq_length").at(0), frames) << "training and evaluation go on";
    EXPECT_NEAR(result.stats.at("stats:stats:accumulated_loss_perplexity").at(0),
                std::exp(result.stats.at("stats:stats:accumulated_loss_ce").at(0)), 1e-6);
    if (run.train && run.epoch == 1) {  // the statistics have seen nothing else yet
      EXPECT_NEAR(result.stats.at("stats:stats:accumulated_loss_ce").at(0), result.scores.at("output"), 1e-4);
      EXPECT_NEAR(result.stats.at("stats:stats:accumulated_frame_error").at(0), result.errors.at("output"), 1e-6);
    }
  }
  void epoch_finished(const EpochInfo& epoch) override {
    calls.push_back("epoch_finished " + std::to_string(epoch.epoch));
    EXPECT_EQ(epoch.errors.count("dev_score"), 1u);
    EXPECT_DOUBLE_EQ(epoch.learning_rate, 0.01);
  }
  void graph_reset() override { calls.emplace_back("graph_reset"); }

  std::vector<std::string> calls;
  int64_t steps_announced = 0;
  int64_t training_steps = 0;
  double frames = 0;
};

TEST(Callback, SeesAWholeTraining) {
  const Config config = Config::from_source(R"(
train = {"class": "Task12AXDataset", "num_seqs": 20}
dev = {"class": "Task12AXDataset", "num_seqs": 6, "fixed_random_seed": 1}
num_inputs = 9
num_outputs = 2
batch_size = 500
max_seqs = 5
network = {
    "output": {"class": "softmax", "loss": "ce", "L2": 0.01},
    "stats": {"class": "framewise_statistics", "sil_label_idx": 0, "from": "output", "is_output_layer": True},
}
learning_rate = 0.01
num_epochs = 2
log_verbosity = 0
)",
                                            "callback_test.config");
  const std::unique_ptr<Communicator> self = Communicator::self();
  Engine engine(config, *self);
  const auto recorder = std::make_shared<Recorder>();
  engine.add_callback(recorder);
  EXPECT_EQ(engine.run(), ExitStatus::kOk);
  const std::vector<std::string> expected{"graph_made",        "run_started train",  "run_finished train",
                                          "run_started dev",   "run_finished dev",   "epoch_finished 1",
                                          "run_started train", "run_finished train", "run_started dev",
                                          "run_finished dev",  "epoch_finished 2",   "graph_reset"};
  EXPECT_EQ(recorder->calls, expected);
  EXPECT_GT(recorder->training_steps, 2);
}

TEST(StatBook, TextsAreThoseOfPython) {
  EXPECT_EQ((StatValue{{0.59090906}, StatValue::Type::kFloat32, false}).text(), "0.59090906");
  EXPECT_EQ((StatValue{{13.0 / 22.0}, StatValue::Type::kFloat64, false}).text(), "0.5909090909090909");
  EXPECT_EQ((StatValue{{22}, StatValue::Type::kInt64, false}).text(), "22");
  EXPECT_EQ((StatValue{{0, 1, std::nan("")}, StatValue::Type::kFloat32, true}).text(), "[0.0, 1.0, nan]");
}

}  // namespace
}  // namespace wende
