#pragma once

#include <string>

#include "base/json.h"
#include "config/config.h"
#include "wende/callback.h"

namespace wende {

/// metrics.jsonl: a JSON line per epoch, and per metrics_every_steps steps; see docs/metrics.md.
class MetricsCallback : public Callback {
 public:
  /// Option metrics_file, else metrics.jsonl in the model's folder; "" without both, or with metrics_file = None.
  static std::string file_name(const Config& config);
  MetricsCallback(const Config& config, std::string file);

  void step_finished(const RunInfo& run, const StepInfo& step) override;
  void run_finished(const RunInfo& run, const RunResult& result) override;
  void epoch_finished(const EpochInfo& epoch) override;

 private:
  /// One write at the end of the file, so that lines of several programs do not mix. The first one must succeed.
  void append(const Json& line);
  std::string file_;
  int64_t every_;
  bool begun_ = false;
  bool warned_ = false;
};

}  // namespace wende
