#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "collective/gradient_buckets.h"
#include "config/config.h"
#include "dataset/batch.h"
#include "engine/hdf_dump_callback.h"
#include "engine/meta_update.h"
#include "engine/model_files.h"
#include "engine/network_runner.h"
#include "engine/record_step.h"
#include "engine/observers.h"
#include "io/checkpoint.h"
#include "optim/learning_rate_control.h"
#include "optim/updater.h"

namespace wende {

/// Sums over one pass through a dataset, over all ranks.
struct PassResult {
  std::vector<LossReport> losses;
  std::vector<LossReport> meta;  ///< as in StepReport
  int64_t steps = 0;
  bool stopped = false;  ///< a stop signal ended it early
  double seconds = 0;
};

/// Runs a config's task on all ranks: the training, evaluation and forward loops around networks, datasets, updater,
/// files.
class Engine {
 public:
  Engine(Config config, Communicator& communicator);
  ~Engine();

  /// The config's `task` (default "train"). Returns the exit status: 0, or 75 when a signal stopped it after a
  /// checkpoint.
  ExitStatus run();
  /// To be called before run(): one training step becomes a case file. For one rank.
  void record_step(RecordStep options) { record_step_ = std::move(options); }

  /// Watches all passes, on rank 0.
  void add_callback(std::shared_ptr<Callback> callback) { observers_.add(std::move(callback)); }

 private:
  struct Pass;

  ExitStatus train();
  void evaluate();
  void forward();
  void build_training_network();
  void build_eval_network(bool with_losses);
  /// Restores the newest state (mid-epoch, epoch, import_model_train_epoch1, load); returns the epoch to go on with.
  int restore();
  void load_values(const std::string& path);
  ExitStatus train_epochs(int first_epoch);
  PassResult run_pass(Pass& pass);
  PassResult train_epoch(int epoch, double learning_rate);
  std::map<std::string, PassResult> evaluate_all(int epoch);
  void save_epoch(int epoch);
  void save_mid_epoch(int epoch, const PassResult& partial);
  Checkpoint make_checkpoint(int epoch) const;
  std::map<std::string, double> scores(const std::string& set, const PassResult& result) const;
  std::string score_text(const PassResult& result) const;
  std::string error_text(const PassResult& result) const;
  void finish_epoch(int epoch, const PassResult& train_result);
  StepReport train_step(const std::optional<Batch>& batch, double learning_rate, int epoch);
  void assign_parameters(NetworkRunner& runner, bool ran) const;
  void sum_over_ranks(StepReport& report, int64_t& stop) const;
  Dataset& dataset(const std::string& role, const Value& options);
  const Network& any_network() const;

  Config config_;
  Communicator& communicator_;
  ExternData extern_data_;
  ModelFiles model_files_;
  std::unique_ptr<LearningRateControl> learning_rates_;
  NetworkWithGradients training_;
  NetworkWithGradients evaluation_;
  std::unique_ptr<ParamStore> store_;
  std::unique_ptr<NetworkRunner> train_runner_;
  RecordStep record_step_;
  std::unique_ptr<StepRecorder> recorder_;
  std::unique_ptr<NetworkRunner> eval_runner_;
  std::unique_ptr<Updater> updater_;
  std::unique_ptr<GradientBuckets> buckets_;
  std::map<std::string, size_t> param_index_;
  std::map<std::string, bool> has_gradient_;
  std::unique_ptr<MetaUpdate> meta_update_;
  Observers observers_;
  std::unique_ptr<HdfDumpCallback> train_dumps_;
  std::unique_ptr<HdfDumpCallback> eval_dumps_;
  std::map<std::string, std::unique_ptr<Dataset>> datasets_;
  int64_t global_step_ = 0;
  std::optional<Checkpoint> mid_epoch_;  ///< restored state inside an epoch, until that epoch goes on
};

}  // namespace wende
