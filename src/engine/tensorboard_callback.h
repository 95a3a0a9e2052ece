#pragma once

#include <map>
#include <memory>
#include <string>

#include "config/config.h"
#include "io/tfevents.h"
#include "wende/callback.h"

namespace wende {

/// TensorBoard event files in RETURNN's folders: <tf_log_dir, or the model's folder>/<data set>[-<epoch> if not
/// training]-<UTC time of the start>, scalars by global step under RETURNN's tags. Scores of epochs go to
/// <folder>/epochs-<time>. Images lie as PNG in <folder of the run>/images too.
class TensorBoardCallback : public Callback {
 public:
  /// The folder that holds all; "" if the config has none, or tensorboard = False.
  static std::string root_folder(const Config& config);
  TensorBoardCallback(const Config& config, std::string folder);

  void run_started(const RunInfo& run) override;
  void step_finished(const RunInfo& run, const StepInfo& step) override;
  void run_finished(const RunInfo& run, const RunResult& result) override;
  void epoch_finished(const EpochInfo& epoch) override;

  /// Whether something is written in this step.
  bool wants(int64_t step) const { return step % every_ == 0; }
  /// [H,W,1] under `tag`; file_name without ".png".
  void image(const std::string& tag, const std::string& file_name, const Tensor& pixels, int64_t global_step);
  /// Asked for by tensorboard_histograms: parameters once per epoch.
  bool wants_histograms() const { return histograms_; }
  void histogram(const std::string& tag, const Tensor& values, int epoch);

 private:
  std::string folder_;
  std::string start_time_;
  int64_t every_;
  bool histograms_;
  std::string run_folder_;
  std::map<std::string, std::unique_ptr<TfEventsWriter>> training_;  ///< one for all epochs of a training set
  std::unique_ptr<TfEventsWriter> other_;
  TfEventsWriter* writer_ = nullptr;
  std::unique_ptr<TfEventsWriter> epochs_;
};

/// What stands for a loss or layer name in a tag: no ":" and the like, "/" as "_".
std::string summary_name(const std::string& name);

}  // namespace wende
