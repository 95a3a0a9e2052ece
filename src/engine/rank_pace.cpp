#include "engine/rank_pace.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"

namespace wende {

namespace {

constexpr double kSlow = 1.5;
/// Below this, per step, differences are noise.
constexpr double kNoiseSeconds = 0.002;

}  // namespace

RankPace::RankPace(Communicator& communicator, int64_t interval) : communicator_(communicator), interval_(interval) {}

void RankPace::begin() {
  start_ = window_ = monotonic_seconds();
  wait_start_ = window_wait_ = progress().wait_seconds;
  input_start_ = progress().input_seconds;
  steps_ = 0;
}

std::vector<double> RankPace::from_all(double value) const {
  std::vector<double> values(static_cast<size_t>(communicator_.size()), 0.0);
  values[static_cast<size_t>(communicator_.rank())] = value;
  communicator_.all_sum(values.data(), values.size());
  return values;
}

void RankPace::step_done(int64_t global_step) {
  ++steps_;
  if (communicator_.size() == 1 || interval_ <= 0 || steps_ % interval_ != 0) {
    return;
  }
  const double now = monotonic_seconds();
  const double wait = progress().wait_seconds;
  const std::vector<double> busy = from_all((now - window_ - (wait - window_wait_)) / static_cast<double>(interval_));
  window_ = monotonic_seconds();
  window_wait_ = progress().wait_seconds;
  std::vector<double> sorted = busy;
  std::sort(sorted.begin(), sorted.end());
  const double median = sorted[(sorted.size() - 1) / 2];
  for (size_t rank = 0; rank < busy.size(); ++rank) {
    if (busy[rank] > kSlow * median && busy[rank] > median + kNoiseSeconds) {
      log_line(2, fmt::format("warning: rank {} is slow: {:.3f} s per step, median {:.3f} s (steps {} to {})", rank,
                              busy[rank], median, global_step + 1 - interval_, global_step));
    }
  }
}

void RankPace::log_shares() {
  if (communicator_.size() == 1) {
    return;
  }
  const double seconds = std::max(monotonic_seconds() - start_, 1e-9);
  const std::vector<double> waits = from_all(100 * (progress().wait_seconds - wait_start_) / seconds);
  const std::vector<double> inputs = from_all(100 * (progress().input_seconds - input_start_) / seconds);
  std::string text;
  constexpr size_t kMostShown = 16;
  for (size_t rank = 0; rank < std::min(waits.size(), kMostShown); ++rank) {
    text += fmt::format("{} rank {} {:.1f}%", rank == 0 ? "" : ",", rank, waits[rank]);
  }
  log_line(3, fmt::format("waited for other ranks:{}; for data: at most {:.1f}%", text,
                          *std::max_element(inputs.begin(), inputs.end())));
}

}  // namespace wende
