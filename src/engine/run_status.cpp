#include "engine/run_status.h"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/json.h"
#include "base/log.h"
#include "io/atomic_file.h"
#include "io/file_lock.h"

namespace wende {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSuffix = ".status.json";

std::string host() {
  char name[256] = "";
  ::gethostname(name, sizeof(name) - 1);
  return name;
}

std::string text_of(const Json& json, const std::string& key) {
  const Json* found = json.find(key);
  return found != nullptr && found->is_string() ? found->as_string() : "";
}

double number_of(const Json& json, const std::string& key) {
  const Json* found = json.find(key);
  return found != nullptr && !found->is_string() ? found->as_double() : 0;
}

std::string describe_file(const std::string& file) {
  const Json json = Json::parse(read_file(file), file);
  const std::string base = file.substr(0, file.size() - std::string(kSuffix).size());
  std::string holder;
  const bool alive = FileLock::is_held(base + ".lock", &holder);
  std::string state = text_of(json, "state");
  const bool ended = state == "finished" || state == "stopped" || state.rfind("failed", 0) == 0;
  if (!alive && !ended) {
    state = "dead (killed or crashed); the same command goes on";
  }
  std::string text = fmt::format("{}: {}\n", base, state);
  text += fmt::format("  epoch {} of {}, step {} of {}, {} process{}, host {}\n", number_of(json, "epoch"),
                      number_of(json, "epochs"), number_of(json, "step"), number_of(json, "steps"),
                      number_of(json, "ranks"), number_of(json, "ranks") == 1 ? "" : "es", text_of(json, "host"));
  text += fmt::format("  {:.3f} s per step, {} per epoch, running for {}\n", number_of(json, "seconds_per_step"),
                      format_hms(number_of(json, "seconds_per_epoch")), format_hms(number_of(json, "seconds")));
  if (!ended && alive) {
    text += fmt::format("  done in about {}\n", format_hms(number_of(json, "seconds_left")));
  }
  const double age = std::difftime(std::time(nullptr), static_cast<std::time_t>(number_of(json, "time")));
  text += fmt::format("  loss {:.6g}, written {} ago\n", number_of(json, "loss"), format_hms(age));
  if (number_of(json, "checkpoint_seconds") > 0) {
    text += fmt::format("  a checkpoint takes {:.2f} s to write\n", number_of(json, "checkpoint_seconds"));
  }
  if (!text_of(json, "score").empty()) {
    text += fmt::format("  {}\n", text_of(json, "score"));
  }
  if (alive) {
    text += fmt::format("  held by {}\n", holder);
  }
  return text;
}

}  // namespace

RunStatus::RunStatus(int ranks, int epochs) : ranks_(ranks), epochs_(epochs), run_start_(monotonic_seconds()) {}

void RunStatus::begin_epoch(int epoch, int64_t steps, int64_t steps_done) {
  const double now = monotonic_seconds();
  if (epoch_ > 0) {
    epoch_seconds_ = now - epoch_start_;  // with evaluation
  }
  epoch_ = epoch;
  steps_ = steps;
  step_ = first_step_ = steps_done;
  epoch_start_ = now;
  state("running");
}

void RunStatus::step_done(int64_t step_in_epoch, double loss) {
  step_ = step_in_epoch;
  loss_ = loss;
  const double now = monotonic_seconds();
  if (now - last_write_ > 5) {
    seconds_per_step_ = (now - epoch_start_) / static_cast<double>(std::max<int64_t>(step_ - first_step_, 1));
    write();
  }
}

void RunStatus::score(const std::string& line) { score_ = line; }

void RunStatus::state(const std::string& text) {
  if (step_ > first_step_) {
    seconds_per_step_ = (monotonic_seconds() - epoch_start_) / static_cast<double>(step_ - first_step_);
  }
  state_ = text;
  write();
}

void RunStatus::write() {
  if (path_.empty()) {
    return;
  }
  const double now = monotonic_seconds();
  last_write_ = now;
  const double per_epoch = epoch_seconds_ > 0 ? epoch_seconds_ : seconds_per_step_ * static_cast<double>(steps_);
  const double left = seconds_per_step_ * static_cast<double>(steps_ - step_) + per_epoch * (epochs_ - epoch_);
  Json json = Json::object();
  json.set("state", state_).set("epoch", static_cast<int64_t>(epoch_)).set("epochs", static_cast<int64_t>(epochs_));
  json.set("step", step_).set("steps", steps_).set("ranks", static_cast<int64_t>(ranks_));
  json.set("loss", std::isfinite(loss_) ? Json(loss_) : Json(fmt::format("{}", loss_)));
  json.set("seconds_per_step", seconds_per_step_).set("seconds_per_epoch", per_epoch).set("seconds_left", left);
  json.set("checkpoint_seconds", checkpoint_seconds_);
  json.set("seconds", now - run_start_).set("time", static_cast<int64_t>(std::time(nullptr)));
  json.set("host", host()).set("pid", static_cast<int64_t>(::getpid())).set("score", score_);
  try {
    write_file_atomically(path_ + kSuffix, json.dump(1) + "\n");
  } catch (const Error& error) {
    log_line(4, fmt::format("no status is written: {}", error.what()));
  }
}

std::string describe_run(const std::string& path) {
  std::vector<std::string> files;
  if (fs::exists(path + kSuffix)) {
    files.push_back(path + kSuffix);
  } else if (fs::is_directory(path)) {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().string().ends_with(kSuffix)) {
        files.push_back(entry.path().string());
      }
    }
  }
  if (files.empty()) {
    throw Error(ExitStatus::kMissingInput, fmt::format("no run has written a status for '{}'", path))
        .hint("give the config's 'model', or the folder in which it lies");
  }
  std::sort(files.begin(), files.end());
  std::string text;
  for (const std::string& file : files) {
    text += describe_file(file);
  }
  return text;
}

}  // namespace wende
