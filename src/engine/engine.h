#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "collective/device_sums.h"
#include "collective/gradient_buckets.h"
#include "collective/watchdog.h"
#include "config/config.h"
#include "dataset/batch.h"
#include "engine/agreement.h"
#include "engine/batch_feed.h"
#include "engine/checkpoint_writer.h"
#include "engine/distributed_options.h"
#include "engine/epoch_networks.h"
#include "engine/hdf_dump_callback.h"
#include "engine/meta_update.h"
#include "engine/model_files.h"
#include "engine/network_runner.h"
#include "engine/observers.h"
#include "engine/rank_pace.h"
#include "engine/record_step.h"
#include "engine/run_status.h"
#include "engine/search_output.h"
#include "io/checkpoint.h"
#include "io/file_lock.h"
#include "optim/learning_rate_control.h"
#include "optim/updater.h"

namespace wende {

/// Sums over one pass through a dataset, over all ranks.
struct PassResult {
  std::vector<LossReport> losses;
  std::vector<LossReport> meta;  ///< as in StepReport
  int64_t steps = 0;
  int64_t batches = 0;   ///< of the plan, taken by any rank
  bool stopped = false;  ///< a stop signal ended it early
  bool train = false;
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

  ExitStatus run_task();
  ExitStatus train();
  void evaluate();
  void forward();
  void analyze();
  void search();
  void build_training_network();
  void build_eval_network(bool with_losses, bool search = false);
  void label_output_file(const Dataset& data);
  /// Tasks other than training: the network of the epoch that restore() will load.
  void choose_network();
  /// Networks that differ by epoch: builds that of this one where it is another, and takes the parameters over.
  void change_network(int epoch);
  void discard_networks();
  void take_over(const std::map<std::string, Tensor>& values, int epoch);
  void change_datasets(const Config& before);
  double learning_rate_of(int epoch);
  std::string epoch_text(int epoch) const;  ///< "epoch 3", "pretrain epoch 3"
  /// In the task search: the layer whose labels are the result.
  const NetworkLayer& search_layer() const;
  void write_rows(const std::optional<Batch>& batch, NetworkRunner& runner, HdfDumpCallback& dumps);
  /// Restores the newest state (mid-epoch, epoch, import_model_train_epoch1, load); returns the epoch to go on with.
  int restore();
  int epoch_to_load() const;  ///< of tasks other than training; 0: none is saved
  std::set<std::string> preload(bool first_epoch);
  void load_values(const std::string& path, const std::set<std::string>& except = {});
  void set_values(const std::map<std::string, Tensor>& values, const std::string& path,
                  const std::set<std::string>& except = {});
  ExitStatus train_epochs(int first_epoch);
  PassResult run_pass(Pass& pass);
  PassResult train_epoch(int epoch, double learning_rate);
  std::map<std::string, PassResult> evaluate_all(int epoch);
  void save_epoch(int epoch, const std::map<std::string, double>& scores);
  bool may_save() const;
  size_t state_bytes() const;  ///< of parameters, gradients and optimiser
  void start_mid_epoch(int epoch, const PassResult& partial);
  std::optional<Checkpoint> newest_checkpoint(const std::vector<int>& saved);
  int go_on_from(const Checkpoint& checkpoint);
  bool complete_scores();
  int64_t evaluation_steps(int epoch);
  std::vector<std::pair<std::string, Value>> evaluation_sets() const;
  void save_mid_epoch(int epoch, const PassResult& partial);
  Checkpoint make_checkpoint(int epoch) const;
  /// Of a pass, by loss: values (with meta losses; with calculate_exp_loss also their exponentials as "output:exp").
  std::map<std::string, double> scores_by_loss(const PassResult& result) const;
  std::map<std::string, double> errors_by_loss(const PassResult& result) const;
  /// As the learning-rate file has them: "dev_score", or "dev_score_output" where there are several.
  std::map<std::string, double> scores(const std::string& set, const PassResult& result) const;
  std::string score_text(const PassResult& result) const;
  std::string error_text(const PassResult& result) const;
  bool finish_epoch(int epoch, const PassResult& train_result);  ///< false: stopped by a signal
  bool evaluate_epoch(int epoch);
  struct PassPlan;
  BatchOptions batch_options(const Pass& pass) const;
  PassPlan plan_pass(const Pass& pass, const BatchOptions& options) const;
  void begin_pass(const Pass& pass, PassResult& result, const PassPlan& plan);
  void assign_parameters(NetworkRunner& runner, bool ran) const;
  StepReport compute_gradients(const std::optional<Batch>& batch, double learning_rate, BatchFeed& feed);
  void update(double learning_rate, int epoch, std::map<std::string, RowSums> rows);
  /// What ranks tell each other in each step besides the losses; after sum_over_ranks, how many of them said it.
  struct StepFlags {
    double stop = 0;
    double checkpoint = 0;
    double non_finite = 0;
    double sync_parameters = 0;
  };
  StepFlags own_flags(const Pass& pass, const StepReport& report) const;
  void sum_over_ranks(StepReport& report, StepFlags& flags) const;
  /// A loss or gradient is not finite: names layer and sequences, saves the batch. True: leave the update out and go
  /// on.
  bool skip_non_finite(const Pass& pass, const StepReport& report, const std::optional<Batch>& batch, int64_t step);
  void finish_step(const Pass& pass, const StepReport& report, const StepFlags& flags,
                   const std::optional<Batch>& batch, PassResult& result);
  void step_done(const Pass& pass, const StepReport& report, const StepFlags& flags, int64_t steps,
                 const PassResult& result);
  void save_at_interval(int epoch, const PassResult& partial, const StepFlags& flags, int64_t steps);
  bool gradients_not_finite() const;
  void average_parameters();
  void make_sums();
  void gather_optimizer_state();
  void share_parameters();
  void divide_by_ranks(const Tensor& sum) const;
  RunOptions run_options() const;
  void start_watching();
  void report_times();
  void require_same_start(Dataset& dataset);
  Facts start_facts(const Dataset& dataset) const;
  Dataset& dataset(const std::string& role, const Value& options);
  const Network& any_network() const;

  Config config_;  ///< as it holds in the present epoch
  Communicator& communicator_;
  EpochNetworks networks_;
  int network_epoch_ = 1;  ///< the present network is of this one
  ExternData extern_data_;
  ModelFiles model_files_;
  std::unique_ptr<LearningRateControl> learning_rates_;
  NetworkWithGradients training_;
  NetworkWithGradients evaluation_;
  Device device_;
  std::unique_ptr<ParamStore> store_;
  std::unique_ptr<NetworkRunner> train_runner_;
  RecordStep record_step_;
  std::unique_ptr<StepRecorder> recorder_;
  std::unique_ptr<NetworkRunner> eval_runner_;
  std::unique_ptr<Updater> updater_;
  std::unique_ptr<AsyncSums> sums_;                ///< of gradients, unless the communicator sums them
  std::unique_ptr<ShardedSums> shards_;            ///< the same with shard_optimizer
  std::map<std::string, Tensor> optimizer_state_;  ///< with shards: for the next checkpoint
  std::unique_ptr<GradientBuckets> buckets_;
  std::map<std::string, size_t> param_index_;
  std::map<std::string, bool> has_gradient_;
  std::unique_ptr<MetaUpdate> meta_update_;
  Observers observers_;
  std::unique_ptr<HdfDumpCallback> train_dumps_;
  std::unique_ptr<HdfDumpCallback> eval_dumps_;
  std::unique_ptr<SearchOutput> search_output_;  ///< in the task search
  std::map<std::string, std::unique_ptr<Dataset>> datasets_;
  int64_t global_step_ = 0;
  /// Of the present network, in training and evaluation: TensorFlow draws random numbers in both, so that a mask
  /// depends on all runs before.
  int64_t runs_ = 0;
  DistributedOptions distributed_;
  std::unique_ptr<FileLock> lock_;
  std::unique_ptr<Watchdog> watchdog_;
  double trace_origin_ = 0;  ///< monotonic, the same moment on all ranks
  RankPace pace_;
  RunStatus status_;
  std::string dataset_signature_;  ///< of the training data
  /// A run was killed between an epoch's checkpoint and its scores: they are made up for.
  std::optional<std::pair<int, std::map<std::string, double>>> scores_to_complete_;
  int64_t check_interval_ = 100;    ///< steps between comparisons of the ranks' parameters
  int64_t checkpoint_steps_ = 0;    ///< 0: none inside epochs
  double checkpoint_seconds_ = 0;   ///< 0: none inside epochs
  double last_checkpoint_ = 0;      ///< monotonic
  double last_parameter_sync_ = 0;  ///< monotonic
  bool memory_told_ = false;
  bool filters_gradients_ = false;       ///< gradient_nan_inf_filter: the updater looks after them
  int64_t skipped_in_a_row_ = 0;         ///< steps left out because of non-finite numbers
  std::optional<Checkpoint> mid_epoch_;  ///< restored state inside an epoch, until that epoch goes on
  CheckpointWriter writer_;              ///< last: it ends first
};

}  // namespace wende
