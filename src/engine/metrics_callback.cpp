#include "engine/metrics_callback.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>

#include "base/error.h"
#include "base/log.h"
#include "io/atomic_file.h"

namespace wende {
namespace {

double unix_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Json numbers(const std::map<std::string, double>& values) {
  Json object = Json::object();
  for (const auto& [key, value] : values) {
    object.set(key, value);
  }
  return object;
}

Json statistics(const std::map<std::string, std::vector<double>>& stats) {
  Json object = Json::object();
  for (const auto& [key, values] : stats) {
    if (values.size() == 1) {
      object.set(key, values.front());
      continue;
    }
    Json list = Json::array();
    for (const double value : values) {
      list.push(value);
    }
    object.set(key, list);
  }
  return object;
}

Json start(const char* type) {
  Json line = Json::object();
  line.set("type", type).set("time", unix_time());
  return line;
}

}  // namespace

std::string MetricsCallback::file_name(const Config& config) {
  if (config.has("metrics_file")) {
    const Value& file = *config.find("metrics_file");
    return file.is_none() ? "" : file.as_string();
  }
  const std::string model = config.get_string("model", "");
  return model.empty() ? "" : (std::filesystem::path(model).parent_path() / "metrics.jsonl").string();
}

MetricsCallback::MetricsCallback(const Config& config, std::string file)
    : file_(std::move(file)), every_(config.get_int("metrics_every_steps", 100)) {}

void MetricsCallback::append(const Json& line) {
  const std::string text = line.dump() + "\n";
  std::error_code ignored;
  std::filesystem::create_directories(folder_of(file_), ignored);
  const int descriptor = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  struct stat before = {};
  const bool known = descriptor >= 0 && ::fstat(descriptor, &before) == 0;
  const ssize_t size = known ? ::write(descriptor, text.data(), text.size()) : -1;
  const bool written = size == static_cast<ssize_t>(text.size());
  const std::string reason = std::strerror(size > 0 ? ENOSPC : errno);
  const bool half = size > 0 && !written && ::ftruncate(descriptor, before.st_size) != 0;
  if (descriptor >= 0) {
    ::close(descriptor);
  }
  if (half || (!written && !begun_)) {
    throw Error(ExitStatus::kIo, fmt::format("cannot write '{}': {}", file_, reason));
  }
  if (!written && !warned_) {  // a disk that fills up costs a line, not the run
    warned_ = true;
    log_line(1, fmt::format("warning: cannot write '{}': {}; lines are missing there", file_, reason));
  }
  begun_ = true;
}

void MetricsCallback::step_finished(const RunInfo& run, const StepInfo& step) {
  if (!run.train || every_ <= 0 || step.step % every_ != 0) {
    return;
  }
  Json line = start("step");
  line.set("dataset", run.dataset).set("epoch", run.epoch).set("step", step.step);
  line.set("global_step", step.global_step).set("seconds", step.seconds).set("sequences", step.sequences);
  line.set("values", numbers(step.values));
  if (!step.stats.empty()) {
    line.set("stats", statistics(step.stats));
  }
  append(line);
}

void MetricsCallback::run_finished(const RunInfo& run, const RunResult& result) {
  Json line = start("run");
  line.set("dataset", run.dataset).set("train", run.train).set("epoch", run.epoch).set("steps", result.steps);
  line.set("seconds", result.seconds).set("stopped", result.stopped);
  line.set("scores", numbers(result.scores)).set("errors", numbers(result.errors));
  if (!result.stats.empty()) {
    line.set("stats", statistics(result.stats));
  }
  append(line);
}

void MetricsCallback::epoch_finished(const EpochInfo& epoch) {
  Json line = start("epoch");
  line.set("epoch", epoch.epoch).set("global_step", epoch.global_step).set("learning_rate", epoch.learning_rate);
  line.set("errors", numbers(epoch.errors));
  append(line);
}

}  // namespace wende
