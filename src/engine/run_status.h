#pragma once

#include <cstdint>
#include <string>
#include <utility>

namespace wende {

/// The file <model>.status.json that rank 0 keeps beside the model: where the run is, how fast, when it will be done.
class RunStatus {
 public:
  RunStatus(int ranks, int epochs);
  /// From now on it is written, beside the model `base`: only by the process that holds the model's lock. A status that
  /// cannot be written never ends a run.
  void write_to(std::string base) { path_ = std::move(base); }

  void begin_epoch(int epoch, int64_t steps, int64_t steps_done);
  void step_done(int64_t step_in_epoch, double loss);  ///< written at most every five seconds
  void score(const std::string& line);                 ///< of the last finished epoch
  void checkpoint_took(double seconds) { checkpoint_seconds_ = seconds; }
  /// "running", "evaluating", "stopped", "finished", "failed: ..."
  void state(const std::string& text);

 private:
  void write();
  std::string path_;
  int ranks_;
  int epochs_;
  int epoch_ = 0;
  int64_t steps_ = 0, step_ = 0, first_step_ = 0;
  double loss_ = 0;
  double seconds_per_step_ = 0, epoch_seconds_ = 0;
  double checkpoint_seconds_ = 0;
  double epoch_start_ = 0, run_start_, last_write_ = 0;
  std::string state_ = "starting", score_;
};

/// Text for `wende status MODEL`: a model name ("out/model"), or a folder with *.status.json files. 66 without any.
std::string describe_run(const std::string& path);

}  // namespace wende
