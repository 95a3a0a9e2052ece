#include <fmt/core.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "base/clock.h"
#include "base/error.h"
#include "base/log.h"
#include "base/trace.h"
#include "dataset/batch.h"
#include "engine/checkpoint_writer.h"
#include "fake_dataset.h"

namespace wende {
namespace {

std::string scratch(const std::string& name) {
  return fmt::format("{}/wende_threads_{}_{}", testing::TempDir(), ::getpid(), name);
}

/// A training in small: batches come from a thread, checkpoints go to another, all of them trace and log.
TEST(Threads, LoaderAndWriterBesideATraining) {
  set_log({.verbosity = 5, .file = scratch("log"), .to_stdout = false, .prefix = ""});
  start_trace();
  const std::string path = scratch("model.wende");
  FakeDataset dataset(eleven_lengths(), true);
  const BatchOptions options{.batch_size = {{"", 60}}, .max_seqs = 2, .keys = {"data", "words"}};
  Tensor params = Tensor::zeros(DType::kFloat32, Shape{100});
  CheckpointWriter writer;
  std::atomic<int> written{0};
  int started = 0;
  for (int epoch = 1; epoch <= 20; ++epoch) {
    dataset.init_epoch(epoch);
    BatchLoader loader(dataset, plan_batches(dataset, options), options, 0, 1);
    while (const auto batch = loader.next()) {
      const double start = monotonic_seconds();
      float* values = params.data<float>();
      for (int64_t i = 0; i < params.elements(); ++i) values[i] += static_cast<float>(batch->size());
      trace_span(TraceRow::kPhase, "compute", start, monotonic_seconds());
      writer.check();
      const bool due = batch->number == 0 && epoch % 10 == 0;  // waits for the one before
      if (writer.busy() && !due) continue;
      Checkpoint checkpoint;
      checkpoint.params["w"] = params.clone();
      checkpoint.counters["step"] = ++started;
      writer.start(path, std::move(checkpoint), [&written] {
        log_line(4, "written");
        ++written;
      });
    }
  }
  writer.wait();
  EXPECT_EQ(written, started);
  EXPECT_GT(started, 1);
  EXPECT_EQ(load_checkpoint(path).counters.at("step"), started);
  EXPECT_GT(writer.last_seconds(), 0);
  EXPECT_NE(trace_events(0, "host", 0).find("write checkpoint"), std::string::npos);
  std::filesystem::remove_all(path);
  std::filesystem::remove(scratch("log"));
}

TEST(Threads, ErrorsOfTheWriterAreThrownInTheTraining) {
  CheckpointWriter writer;
  writer.start("/proc/no/such/folder.wende", Checkpoint{});
  EXPECT_THROW(writer.wait(), Error);
  EXPECT_NO_THROW(writer.wait());
}

TEST(Threads, ALoaderThatIsLeftInTheMiddleEnds) {
  FakeDataset dataset(eleven_lengths(), true);
  const BatchOptions options{.batch_size = {{"", 60}}, .max_seqs = 1, .keys = {"data"}};
  for (int i = 0; i < 50; ++i) {
    BatchLoader loader(dataset, plan_batches(dataset, options), options, i % 2, 2);
    for (int k = 0; k < i % 5; ++k) EXPECT_TRUE(loader.next().has_value());
    loader.ready();
  }
}

}  // namespace
}  // namespace wende
