#include "engine/step_log.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <map>

#include "base/clock.h"
#include "base/live_line.h"
#include "base/log.h"

namespace wende {

std::string number_text(double value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "nan" : (value > 0 ? "inf" : "-inf");
  }
  const std::string text = fmt::format("{}", value);
  return text.find_first_of(".e") == std::string::npos ? text + ".0" : text;
}

namespace {

/// Columns of the terminal, less the last one, in which some terminals break the line.
size_t terminal_width() {
  winsize size{};
  return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1 ? size.ws_col - 1u : 79u;
}

}  // namespace

StepLog::StepLog(const Config& config, const Network& network, std::string prefix, int64_t steps)
    : network_(network),
      prefix_(std::move(prefix)),
      steps_(steps),
      batch_size_(config.get_bool("log_batch_size", false)),
      exponential_(config.get_bool("calculate_exp_loss", false)),
      live_(isatty(STDERR_FILENO) != 0 && log_enabled(3) && !log_enabled(5)),
      start_(monotonic_seconds()) {
  for (const ops::MetaLoss& meta : ops::meta_losses(network.graph())) {
    meta_names_.push_back(meta.name);
  }
}

std::string StepLog::step_text(int64_t step, const StepReport& report, const Batch* batch, double seconds,
                               const StatBook* stats) const {
  std::map<std::string, std::string> items;
  for (size_t i = 0; i < report.losses.size(); ++i) {
    const NetworkLoss& loss = network_.losses()[i];
    if (loss.silenced) {
      continue;
    }
    if (loss.value.defined()) {
      items["cost:" + loss.name] = number_text(static_cast<float>(report.losses[i].value / report.losses[i].inv_norm));
    }
    if (loss.error.defined()) {
      items["error:" + loss.name] = number_text(static_cast<float>(report.losses[i].error / report.losses[i].inv_norm));
    }
  }
  for (size_t i = 0; i < report.meta.size(); ++i) {
    const LossReport& meta = report.meta[i];
    items["cost:" + meta_names_[i]] = number_text(static_cast<float>(meta.value / meta.inv_norm));
  }
  if (exponential_) {
    for (const auto& [key, value] : std::map<std::string, std::string>(items)) {
      if (key.starts_with("cost:")) {
        items[key + ":exp"] = number_text(std::exp(std::strtod(value.c_str(), nullptr)));
      }
    }
  }
  if (stats != nullptr) {
    for (const auto& [name, value] : stats->latest()) {
      items["stats:" + name] = value.text();
    }
  }
  items["loss"] = number_text(static_cast<float>(report.objective()));
  std::string text = fmt::format("{}, step {}", prefix_, step);
  for (const auto& [key, value] : items) {
    text += fmt::format(", {} {}", key, value);
  }
  if (batch_size_ && batch != nullptr) {
    for (const auto& [key, lengths] : batch->lengths) {
      text +=
          fmt::format(", max_size:{} {}", key, lengths.empty() ? 0 : *std::max_element(lengths.begin(), lengths.end()));
    }
    text += fmt::format(", num_seqs {}", batch->size());
  }
  const double elapsed = monotonic_seconds() - start_;
  const double complete = static_cast<double>(step + 1) / static_cast<double>(std::max<int64_t>(steps_, 1));
  text += fmt::format(", {:.3f} sec/step, elapsed {}, exp. remaining {}, complete {:.2f}%", seconds,
                      format_hms(elapsed), format_hms(elapsed * (1 - complete) / complete), complete * 100);
  return text;
}

/// The time left comes first: what does not fit into the terminal's line is cut.
std::string StepLog::live_text(int64_t step, const StepReport& report) const {
  const double elapsed = monotonic_seconds() - start_;
  const double complete = static_cast<double>(step + 1) / static_cast<double>(std::max<int64_t>(steps_, 1));
  std::string text = fmt::format("{}, step {} of {}, {:.1f}%, exp. remaining {}", prefix_, step + 1, steps_,
                                 complete * 100, format_hms(elapsed * (1 - complete) / complete));
  for (size_t i = 0; i < report.losses.size(); ++i) {
    const LossReport& loss = report.losses[i];
    text += fmt::format(", {} {:.4f}", network_.losses()[i].name, loss.value / loss.inv_norm);
  }
  return text.substr(0, terminal_width());
}

void StepLog::step(int64_t step, const StepReport& report, const Batch* batch, double seconds, const StatBook* stats) {
  computing_ += seconds;
  if (log_enabled(5)) {
    log_line(5, step_text(step, report, batch, seconds, stats));
  } else if (live_) {
    show_live_line(live_text(step, report));
  }
}

void StepLog::finish(int64_t steps, double seconds) {
  remove_live_line();
  const double share = seconds > 0 ? std::min(100.0, 100.0 * computing_ / seconds) : 100.0;
  log_line(3, fmt::format("{}, finished after {} steps, {} elapsed ({:.1f}% computing time)", prefix_, steps,
                          format_hms(seconds), share));
}

}  // namespace wende
