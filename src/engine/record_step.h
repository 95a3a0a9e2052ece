#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "engine/network_runner.h"
#include "io/hdf5.h"
#include "optim/param_store.h"

namespace wende {

/// Which step of a run becomes a case file (`wende train --record-step N CASE`).
struct RecordStep {
  int64_t step = -1;                   ///< global step, 0 is the first; -1: none
  std::string path;                    ///< the case
  std::vector<std::string> overrides;  ///< key, value, ... of the command line: they belong to the case's config
};

/// Makes a case that `wende replay` repeats: /config, /inputs and /params as they were before the step, then its losses
/// and gradients (layout: tests/golden/README.md). The state of the optimiser is not in it.
class StepRecorder {
 public:
  StepRecorder(RecordStep options, const Config& config, const Network& network)
      : options_(std::move(options)), config_(config), network_(network) {}

  bool wants(int64_t step) const { return step == options_.step; }
  /// Before the step runs; copies what the step will change.
  /// runs: of the graph before this step, from which its random numbers are drawn.
  void before(const Batch& batch, const ParamStore& store, double learning_rate, int64_t runs);
  /// When the gradients are there and the parameters still as they were: writes the file.
  void after(const StepReport& report, const ParamStore& store, const std::map<std::string, Expr>& gradients);

 private:
  std::string config_text() const;
  void write_inputs(hdf5::File& file) const;

  RecordStep options_;
  const Config& config_;
  const Network& network_;
  Batch batch_;
  std::map<std::string, Tensor> params_;
  double learning_rate_ = 0;
  int64_t runs_ = 0;
};

}  // namespace wende
