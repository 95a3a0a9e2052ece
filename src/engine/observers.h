#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "config/config.h"
#include "engine/network_runner.h"
#include "engine/stat_book.h"
#include "engine/tensorboard_callback.h"
#include "wende/callback.h"

namespace wende {

/// What watches a run: statistics of layers (on every rank, with equal numbers), and on rank 0 TensorBoard,
/// metrics.jsonl and the callbacks that were added.
class Observers {
 public:
  Observers(const Config& config, bool root);
  ~Observers();
  void add(std::shared_ptr<Callback> callback);

  void graph_made();
  void run_started(const RunInfo& run);
  /// report: of all ranks together. batch: of this rank, null if it had none.
  void step_finished(int64_t step, int64_t global_step, double seconds, const NetworkRunner& runner,
                     const StepReport& report, const Batch* batch);
  /// Prints the block "Stats:".
  void run_finished(const NetworkRunner& runner, const StepReport& sums, int64_t steps, double seconds, bool stopped);
  void epoch_finished(const EpochInfo& epoch, const ParamStore& store);
  void graph_reset();

  const StatBook& stats() const { return stats_; }

 private:
  void write_images(int64_t step, int64_t global_step, const NetworkRunner& runner);
  /// Disks get full: a run goes on without its events, but not with a folder that never could be written.
  void to_tensorboard(const std::function<void(TensorBoardCallback&)>& write);
  template <class F>
  void each(F call) {
    to_tensorboard(call);
    for (const std::shared_ptr<Callback>& callback : callbacks_) {
      call(*callback);
    }
  }

  bool root_;
  bool exponential_;
  StatBook stats_;
  RunInfo run_;
  std::unique_ptr<TensorBoardCallback> tensorboard_;
  bool tensorboard_begun_ = false;
  std::vector<std::shared_ptr<Callback>> callbacks_;
};

/// The pictures of an image_summary layer: per sequence [T-decoder,T-encoder,1], with TensorFlow 1's tags.
struct SummaryImage {
  std::string tag;
  Tensor pixels;
};
/// Pictures for TensorBoard instead of rows for a file.
bool is_image_sink(const Sink& sink);
std::vector<SummaryImage> summary_images(const Sink& sink, const Tensor& values);

}  // namespace wende
