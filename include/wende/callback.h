#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace wende {

/// One pass over a data set.
struct RunInfo {
  std::string dataset;  ///< "train", "dev", ...
  bool train = false;
  int epoch = 1;
  int64_t steps = 0;        ///< that the pass will have
  int64_t global_step = 0;  ///< training steps before the pass
};

/// One step, summed over all ranks.
struct StepInfo {
  int64_t step = 0;  ///< within the pass, from 0
  int64_t global_step = 0;
  double seconds = 0;
  int64_t sequences = 0;                 ///< of this rank
  std::map<std::string, double> values;  ///< "cost:output", "error:output", "loss", "constraints", "objective"
  std::map<std::string, std::vector<double>> stats;  ///< "stats:layer:key", numbers have one entry
};

struct RunResult {
  int64_t steps = 0;
  double seconds = 0;
  bool stopped = false;                  ///< a stop signal ended the pass early
  std::map<std::string, double> scores;  ///< by loss
  std::map<std::string, double> errors;
  std::map<std::string, std::vector<double>> stats;
};

struct EpochInfo {
  int epoch = 1;
  int64_t global_step = 0;
  double learning_rate = 0;
  std::map<std::string, double> errors;  ///< the entries of the learning-rate file: "train_score", "dev_error", ...
};

/// Watches a run on rank 0. Engine::add_callback takes one; methods that are not overridden do nothing. An exception
/// ends the run. Calls come in this order: graph_made, then per pass run_started, step_finished..., run_finished; after
/// the passes of an epoch epoch_finished; graph_reset when the network is torn down.
class Callback {
 public:
  virtual ~Callback() = default;
  virtual void graph_made() {}
  virtual void run_started(const RunInfo&) {}
  virtual void step_finished(const RunInfo&, const StepInfo&) {}
  virtual void run_finished(const RunInfo&, const RunResult&) {}
  virtual void epoch_finished(const EpochInfo&) {}
  virtual void graph_reset() {}
};

}  // namespace wende
