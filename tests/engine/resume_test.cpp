#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "base/log.h"
#include "engine/engine.h"

namespace wende {
namespace {

namespace fs = std::filesystem;

class Resume : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::temp_directory_path() / ("wende_resume_" + std::to_string(getpid()));
    fs::create_directories(folder_);
    LogOptions quiet;
    quiet.verbosity = 0;
    quiet.to_stdout = false;
    set_log(quiet);
  }
  void TearDown() override {
    fs::remove_all(folder_);
    set_log(LogOptions());
  }

  std::string model(const std::string& name) const { return (folder_ / name).string(); }

  void train(const std::string& name, int epochs, const std::string& more = "") {
    const std::string source =
        R"(
task = "train"
train = {"class": "Task12AXDataset", "num_seqs": 30}
dev = {"class": "Task12AXDataset", "num_seqs": 10, "fixed_random_seed": 1}
num_inputs = 9
num_outputs = 2
batching = "random"
batch_size = 1000
max_seqs = 5
network = {"fw0": {"class": "rec", "unit": "nativelstm", "dropout": 0.1, "n_out": 4},
           "output": {"class": "softmax", "loss": "ce", "from": ["fw0"]}}
adam = True
learning_rate = 0.01
learning_rate_control = "newbob"
save_interval = 1
)" + ("model = '" + model(name) + "'\nlearning_rate_file = '" + model(name) + ".rates'\n") +
        "num_epochs = " + std::to_string(epochs) + "\n" + more;
    const auto alone = Communicator::self();
    Engine engine(Config::from_source(source, "resume.config"), *alone);
    ASSERT_EQ(engine.run(), ExitStatus::kOk);
  }

  Checkpoint checkpoint(const std::string& name, int epoch) const {
    char number[16];
    std::snprintf(number, sizeof number, ".%03d", epoch);
    return load_checkpoint(model(name) + number + ".wende");
  }

  static void expect_same(const Checkpoint& a, const Checkpoint& b) {
    ASSERT_EQ(a.params.size(), b.params.size());
    for (const auto& [name, tensor] : a.params) {
      EXPECT_EQ(tensor.to_vector<float>(), b.params.at(name).to_vector<float>()) << name;
    }
    ASSERT_EQ(a.optimizer.size(), b.optimizer.size());
    for (const auto& [name, tensor] : a.optimizer) {
      if (tensor.dtype() == DType::kFloat32) {
        EXPECT_EQ(tensor.to_vector<float>(), b.optimizer.at(name).to_vector<float>()) << name;
      } else {
        EXPECT_EQ(tensor.to_vector<int64_t>(), b.optimizer.at(name).to_vector<int64_t>()) << name;
      }
    }
    EXPECT_EQ(a.counters, b.counters);
  }

  fs::path folder_;
};

TEST_F(Resume, EpochByEpochIsTheSameAsAtOnce) {
  train("whole", 3);
  train("parts", 1);
  train("parts", 2);
  train("parts", 3);
  for (const int epoch : {1, 2, 3}) expect_same(checkpoint("whole", epoch), checkpoint("parts", epoch));
  EXPECT_EQ(checkpoint("parts", 3).counters.at("epoch"), 3);
  EXPECT_EQ(checkpoint("parts", 3).counters.at("global_step"), 3 * checkpoint("parts", 1).counters.at("global_step"));
}

TEST_F(Resume, ADamagedNewestCheckpointIsLeftOut) {
  train("damaged", 2);
  const Checkpoint second = checkpoint("damaged", 2);
  fs::remove(fs::path(model("damaged") + ".002.wende") / "manifest.json");
  train("damaged", 2);
  expect_same(second, checkpoint("damaged", 2));
}

TEST_F(Resume, AFinishedRunIsNotTrainedFurther) {
  train("finished", 1);
  const Checkpoint first = checkpoint("finished", 1);
  train("finished", 1);
  expect_same(first, checkpoint("finished", 1));
}

TEST_F(Resume, LoadGivesTheStartAndNewNumbersOfSteps) {
  train("source", 1);
  train("loaded", 1, "load = '" + model("source") + ".001.wende'\nlearning_rate = 0.0\n");
  const Checkpoint source = checkpoint("source", 1);
  const Checkpoint loaded = checkpoint("loaded", 1);
  for (const auto& [name, tensor] : source.params) {
    EXPECT_EQ(tensor.to_vector<float>(), loaded.params.at(name).to_vector<float>()) << name;
  }
  EXPECT_EQ(loaded.counters.at("epoch"), 1);
}

TEST_F(Resume, OtherShapesAreRefused) {
  train("small", 1);
  try {
    train("small", 2, "network['fw0']['n_out'] = 5\n");
    FAIL() << "parameters of another size were loaded";
  } catch (const Error& error) {
    const std::string text = error.what();
    EXPECT_NE(text.find("fw0/rec/W_re"), std::string::npos) << text;
    EXPECT_NE(text.find("in the config"), std::string::npos) << text;
  }
}

}  // namespace
}  // namespace wende
