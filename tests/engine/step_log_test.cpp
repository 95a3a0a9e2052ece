#include "engine/step_log.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <limits>
#include <regex>
#include <sstream>

#include "base/log.h"
#include "engine/trained_network.h"

namespace wende {
namespace {

TEST(NumberText, AsRETURNNPrintsFloats) {
  EXPECT_EQ(number_text(0.6625), "0.6625");
  EXPECT_EQ(number_text(3), "3.0");
  EXPECT_EQ(number_text(0), "0.0");
  EXPECT_EQ(number_text(1e-7), "1e-07");
  EXPECT_EQ(number_text(std::numeric_limits<double>::quiet_NaN()), "nan");
  EXPECT_EQ(number_text(std::numeric_limits<double>::infinity()), "inf");
  EXPECT_EQ(number_text(-std::numeric_limits<double>::infinity()), "-inf");
}

const char* const kNetwork = R"(
num_inputs = 4
num_outputs = {"data": [4, 2], "classes": [5, 1]}
network = {
  "aux": {"class": "softmax", "loss": "ce", "loss_scale": 0.5, "from": "data", "target": "classes"},
  "output": {"class": "softmax", "loss": "ce", "from": "data"}}
)";

/// What is written to the log file while f runs.
template <class F>
std::string logged(int verbosity, F&& f) {
  const std::string file = testing::TempDir() + "wende_step_log_" + std::to_string(getpid());
  std::remove(file.c_str());
  LogOptions options;
  options.verbosity = verbosity;
  options.file = file;
  options.to_stdout = false;
  set_log(options);
  f();
  set_log(LogOptions());
  std::ifstream stream(file);
  std::stringstream text;
  text << stream.rdbuf();
  std::remove(file.c_str());
  return text.str();
}

StepReport report_of(double aux, double output) {
  StepReport report;
  report.losses = {{aux * 8, 2, 8}, {output * 8, 4, 8}};
  report.loss = aux * 4 + output * 8;
  return report;
}

TEST(StepLog, LinesHaveRETURNNsKeysInItsOrder) {
  const test::TrainedNetwork net(std::string(kNetwork) + "log_batch_size = True\n");
  const Batch batch = test::random_batch({3, 2}, 4, 5);
  const std::string text = logged(5, [&] {
    StepLog log(net.config(), net.network(), "train epoch 1", 4);
    log.step(0, report_of(1.5, 0.25), &batch, 0.1);
    log.finish(4, 10);
  });
  // RETURNN's line, with what depends on the clock as patterns.
  const std::regex line(
      R"(train epoch 1, step 0, cost:aux 1\.5, cost:output 0\.25, error:aux 0\.25, error:output 0\.5, loss 8\.0, )"
      R"(max_size:classes 3, max_size:data 3, num_seqs 2, 0\.100 sec/step, elapsed 0:00:0\d, )"
      R"(exp\. remaining 0:00:0\d, complete 25\.00%\n)"
      R"(train epoch 1, finished after 4 steps, 0:00:10 elapsed \(1\.0% computing time\)\n)");
  EXPECT_TRUE(std::regex_match(text, line)) << text;
}

TEST(StepLog, QuietLogsHaveTheLastLineOnly) {
  const test::TrainedNetwork net(kNetwork);
  const std::string text = logged(3, [&] {
    StepLog log(net.config(), net.network(), "train epoch 2", 1);
    log.step(0, report_of(1, 1), nullptr, 3);
    log.finish(1, 3);
  });
  EXPECT_EQ(text,
            "train epoch 2, finished after 1 steps, 0:00:03 elapsed "
            "(100.0% computing time)\n");
}

TEST(StepLog, ARankWithoutABatchLogsNoSizes) {
  const test::TrainedNetwork net(std::string(kNetwork) + "log_batch_size = True\n");
  const std::string text = logged(5, [&] {
    StepLog log(net.config(), net.network(), "train epoch 1", 2);
    log.step(1, report_of(1, 1), nullptr, 0.5);
  });
  EXPECT_EQ(text.find("max_size"), std::string::npos) << text;
  EXPECT_NE(text.find("complete 100.00%"), std::string::npos) << text;
}

}  // namespace
}  // namespace wende
