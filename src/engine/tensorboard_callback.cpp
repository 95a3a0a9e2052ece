#include "engine/tensorboard_callback.h"

#include <fmt/core.h>

#include <algorithm>
#include <ctime>
#include <filesystem>
#include <fstream>

#include "base/error.h"
#include "io/atomic_file.h"

namespace wende {
namespace {

std::string utc_time() {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  char text[32];
  std::strftime(text, sizeof(text), "%Y-%m-%d-%H-%M-%S", &parts);
  return text;
}

/// "cost:output" -> "objective/loss/loss_output"; "" for what has no tag.
std::string tag_of(const std::string& key) {
  if (key.starts_with("cost:")) {
    const std::string name = key.substr(5);
    const bool exponential = name.ends_with(":exp");
    return fmt::format("objective/loss/{}_{}", exponential ? "exp_loss" : "loss",
                       summary_name(exponential ? name.substr(0, name.size() - 4) : name));
  }
  if (key.starts_with("error:")) {
    return "objective/loss/error_" + summary_name(key.substr(6));
  }
  return "objective/" + key;
}

}  // namespace

std::string summary_name(const std::string& name) {
  std::string result;
  for (const char c : name) {
    if (c == '/') {
      result += '_';
    } else if (std::string(":(){}&+-*'\" ,").find(c) != std::string::npos) {
      result += "__";
    } else if (static_cast<unsigned char>(c) < 128) {
      result += c;
    }
  }
  return result;
}

std::string TensorBoardCallback::root_folder(const Config& config) {
  if (!config.get_bool("tensorboard", true)) {
    return "";
  }
  if (config.has("tf_log_dir")) {
    const Value& folder = *config.find("tf_log_dir");
    return folder.is_none() ? "" : folder.as_string();
  }
  const std::string model = config.get_string("model", "");
  if (model.empty()) {
    return "";
  }
  const std::string folder = std::filesystem::path(model).parent_path().string();
  return folder.empty() ? "." : folder;
}

TensorBoardCallback::TensorBoardCallback(const Config& config, std::string folder)
    : folder_(std::move(folder)),
      start_time_(utc_time()),
      every_(std::max<int64_t>(config.get_int("tensorboard_every", 1), 1)),
      histograms_(config.get_bool("tensorboard_histograms", false)) {}

void TensorBoardCallback::run_started(const RunInfo& run) {
  if (run.train) {
    run_folder_ = fmt::format("{}/{}-{}", folder_, run.dataset, start_time_);
    std::unique_ptr<TfEventsWriter>& writer = training_[run.dataset];
    if (writer == nullptr) {
      writer = std::make_unique<TfEventsWriter>(run_folder_, run.global_step);
    }
    writer_ = writer.get();
    return;
  }
  run_folder_ = fmt::format("{}/{}-{}-{}", folder_, run.dataset, run.epoch, start_time_);
  other_ = std::make_unique<TfEventsWriter>(run_folder_, run.global_step);
  writer_ = other_.get();
}

void TensorBoardCallback::step_finished(const RunInfo& run, const StepInfo& step) {
  if (!wants(step.step)) {
    return;
  }
  // RETURNN counts the steps of an evaluation on from the global step.
  const int64_t at = run.train ? step.global_step : run.global_step + step.step;
  for (const auto& [key, value] : step.values) {
    writer_->scalar(tag_of(key), value, at);
  }
  for (const auto& [key, numbers] : step.stats) {
    if (numbers.size() == 1) {
      writer_->scalar(key.substr(6).insert(0, "stats/"), numbers.front(), at);
    }
  }
}

void TensorBoardCallback::run_finished(const RunInfo&, const RunResult&) {
  writer_->flush();
  other_.reset();
  writer_ = nullptr;
}

void TensorBoardCallback::epoch_finished(const EpochInfo& epoch) {
  if (epochs_ == nullptr) {
    epochs_ = std::make_unique<TfEventsWriter>(fmt::format("{}/epochs-{}", folder_, start_time_), epoch.epoch);
  }
  epochs_->scalar("epoch/learning_rate", epoch.learning_rate, epoch.epoch);
  for (const auto& [key, value] : epoch.errors) {
    if (!key.starts_with(":meta:")) {
      epochs_->scalar("epoch/" + key, value, epoch.epoch);
    }
  }
  epochs_->flush();
}

void TensorBoardCallback::image(const std::string& tag, const std::string& file_name, const Tensor& pixels,
                                int64_t global_step) {
  if (writer_ == nullptr) {
    return;
  }
  writer_->image(tag, pixels, global_step);
  const std::string folder = run_folder_ + "/images";
  make_folders(folder);
  // Not synced to disk, unlike models: there may be several per step.
  const std::string path = fmt::format("{}/{}.png", folder, file_name);
  const std::string png = encode_png(image_pixels(pixels), pixels.dim(0), pixels.dim(1), pixels.dim(2));
  std::ofstream file(path, std::ios::binary);
  if (!file.write(png.data(), static_cast<std::streamsize>(png.size())) || !file.flush()) {
    throw Error(ExitStatus::kIo, fmt::format("cannot write '{}'", path));
  }
}

void TensorBoardCallback::histogram(const std::string& tag, const Tensor& values, int epoch) {
  if (epochs_ != nullptr) {
    epochs_->histogram(tag, values, epoch);
  }
}

}  // namespace wende
