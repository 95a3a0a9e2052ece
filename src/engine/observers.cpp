#include "engine/observers.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "base/log.h"
#include "engine/metrics_callback.h"
#include "tensor/placement.h"

namespace wende {
namespace {

std::map<std::string, std::vector<double>> reported_stats(const StatBook& book) {
  std::map<std::string, std::vector<double>> stats;
  for (const auto& [name, value] : book.latest()) {
    stats["stats:" + name] = value.numbers;
  }
  return stats;
}

/// Value and error of each loss over its norm.
void add_losses(const Network& network, const StepReport& report, std::map<std::string, double>& scores,
                std::map<std::string, double>& errors) {
  for (size_t i = 0; i < report.losses.size(); ++i) {
    const NetworkLoss& loss = network.losses()[i];
    const LossReport& sums = report.losses[i];
    if (loss.value.defined()) {
      scores[loss.name] = sums.value / sums.inv_norm;
    }
    if (loss.error.defined()) {
      errors[loss.name] = sums.error / sums.inv_norm;
    }
  }
  const std::vector<ops::MetaLoss> meta = ops::meta_losses(network.graph());
  for (size_t i = 0; i < report.meta.size(); ++i) {
    scores[meta[i].name] = report.meta[i].value / report.meta[i].inv_norm;
  }
}

}  // namespace

bool is_image_sink(const Sink& sink) {
  const Value* name = sink.options.find("class");
  return name != nullptr && name->is_string() && name->as_string() == "image_summary";
}

std::vector<SummaryImage> summary_images(const Sink& sink, const Tensor& values) {
  const Value* option = sink.options.find("max_outputs");
  const int64_t most = option == nullptr || option->is_none() ? 3 : option->as_int();
  const Tensor images = values.permuted({2, 0, 1, 3});
  const size_t slash = sink.layer.rfind('/');
  const std::string own = slash == std::string::npos ? sink.layer : sink.layer.substr(slash + 1);
  std::vector<SummaryImage> result;
  for (int64_t b = 0; b < std::min(most, images.dim(0)); ++b) {
    const Tensor picture = images.sliced(0, b, b + 1).clone();
    const std::string tag = fmt::format("{}/image_summary/{}/image", sink.layer, own);
    result.push_back({most == 1 ? tag : fmt::format("{}/{}", tag, b), picture.reshaped(picture.shape().without(0))});
  }
  return result;
}

Observers::Observers(const Config& config, bool root)
    : root_(root), exponential_(config.get_bool("calculate_exp_loss", false)) {
  if (!root_) {
    return;
  }
  if (const std::string folder = TensorBoardCallback::root_folder(config); !folder.empty()) {
    tensorboard_ = std::make_unique<TensorBoardCallback>(config, folder);
  }
  if (const std::string file = MetricsCallback::file_name(config); !file.empty()) {
    callbacks_.push_back(std::make_shared<MetricsCallback>(config, file));
  }
}

Observers::~Observers() = default;

void Observers::add(std::shared_ptr<Callback> callback) {
  if (root_) {
    callbacks_.push_back(std::move(callback));
  }
}

void Observers::to_tensorboard(const std::function<void(TensorBoardCallback&)>& write) {
  if (tensorboard_ == nullptr) {
    return;
  }
  try {
    write(*tensorboard_);
  } catch (const Error& error) {
    const bool full = error.status() == ExitStatus::kIo || error.status() == ExitStatus::kCannotCreate;
    if (!full || !tensorboard_begun_) {
      throw;
    }
    log_line(1, fmt::format("warning: no more TensorBoard events in this run: {}", error.what()));
    tensorboard_.reset();
  }
}

void Observers::graph_made() {
  each([](Callback& callback) { callback.graph_made(); });
}

void Observers::graph_reset() {
  each([](Callback& callback) { callback.graph_reset(); });
}

void Observers::run_started(const RunInfo& run) {
  run_ = run;
  stats_.begin_run();
  each([&](Callback& callback) { callback.run_started(run); });
  tensorboard_begun_ = true;
}

void Observers::step_finished(int64_t step, int64_t global_step, double seconds, const NetworkRunner& runner,
                              const StepReport& report, const Batch* batch) {
  stats_.add(runner.network().stats(), report.stats);
  if (callbacks_.empty() && tensorboard_ == nullptr) {
    return;
  }
  StepInfo info;
  info.step = step;
  info.global_step = global_step;
  info.seconds = seconds;
  info.sequences = batch != nullptr ? batch->size() : 0;
  std::map<std::string, double> scores;
  std::map<std::string, double> errors;
  add_losses(runner.network(), report, scores, errors);
  for (const auto& [name, score] : scores) {
    info.values["cost:" + name] = score;
    if (exponential_) {
      info.values["cost:" + name + ":exp"] = std::exp(score);
    }
  }
  for (const auto& [name, error] : errors) {
    info.values["error:" + name] = error;
  }
  info.values["loss"] = report.loss;
  info.values["constraints"] = report.constraints;
  info.values["objective"] = report.objective();
  info.stats = reported_stats(stats_);
  each([&](Callback& callback) { callback.step_finished(run_, info); });
  if (tensorboard_ != nullptr && batch != nullptr && tensorboard_->wants(step)) {
    write_images(step, run_.train ? global_step : run_.global_step + step, runner);
  }
}

void Observers::write_images(int64_t step, int64_t global_step, const NetworkRunner& runner) {
  const std::vector<Sink>& sinks = runner.network().sinks();
  for (size_t i = 0; i < sinks.size(); ++i) {
    if (!is_image_sink(sinks[i])) {
      continue;
    }
    const std::vector<SummaryImage> images = summary_images(sinks[i], runner.extra_values()[i]);
    for (size_t k = 0; k < images.size(); ++k) {
      const std::string file = fmt::format("{}-{:06}-{}", summary_name(sinks[i].layer), step, k);
      to_tensorboard([&](TensorBoardCallback& tensorboard) {
        tensorboard.image(images[k].tag, file, images[k].pixels, global_step);
      });
    }
  }
}

void Observers::run_finished(const NetworkRunner& runner, const StepReport& sums, int64_t steps, double seconds,
                             bool stopped) {
  for (const std::string& line : stats_.final_lines()) {
    log_line(1, line);
  }
  RunResult result;
  result.steps = steps;
  result.seconds = seconds;
  result.stopped = stopped;
  add_losses(runner.network(), sums, result.scores, result.errors);
  result.stats = reported_stats(stats_);
  each([&](Callback& callback) { callback.run_finished(run_, result); });
}

void Observers::epoch_finished(const EpochInfo& epoch, const ParamStore& store) {
  each([&](Callback& callback) { callback.epoch_finished(epoch); });
  if (tensorboard_ != nullptr && tensorboard_->wants_histograms()) {
    to_tensorboard([&](TensorBoardCallback& tensorboard) {
      for (const std::string& name : store.names()) {
        tensorboard.histogram("vars/" + name, on_host(store.value(name)), epoch.epoch);
      }
    });
  }
}

}  // namespace wende
