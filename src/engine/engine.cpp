#include "engine/engine.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/fault.h"
#include "base/log.h"
#include "base/progress.h"
#include "device/recorded_launch.h"
#include "engine/config_check.h"
#include "engine/extern_from_dataset.h"
#include "engine/file_name_check.h"
#include "engine/learning_rate_function.h"
#include "engine/row_gradients.h"
#include "engine/training_device.h"

namespace wende {

namespace {

/// Before any member is made: the mistakes of the options come first.
Config checked(Config config) {
  for (const Diagnostic& warning : config_warnings(config)) {
    log_line(1, "warning: " + warning.render());
  }
  check_config(config);
  return with_traced_learning_rate(std::move(config));
}

/// How much is summed over the ranks at a time while backward runs; many ranks want few sums, slow links early ones.
size_t bucket_bytes(const Config& config) {
  const double megabytes = config.get_float("gradient_bucket_mb", 4);
  if (!(megabytes > 0 && megabytes <= 4096)) {
    throw Error(ExitStatus::kConfig, fmt::format("gradient_bucket_mb: {} is not between 0 and 4096", megabytes));
  }
  return static_cast<size_t>(megabytes * (1 << 20));
}

}  // namespace

Engine::Engine(Config config, Communicator& communicator)
    : config_(with_extern_data(checked(std::move(config)))),
      communicator_(communicator),
      networks_(Config()),
      extern_data_(ExternData::from_config(config_)),
      model_files_(config_),
      device_(training_device(config_)),
      observers_(config_, communicator_.is_root()),
      distributed_(DistributedOptions::from_config(config_)),
      pace_(communicator, config_.get_int("rank_check_interval", 100)),
      status_(communicator.size(), static_cast<int>(config_.get_int("num_epochs", 5))),
      check_interval_(config_.get_int("rank_check_interval", 100)),
      checkpoint_steps_(config_.get_int("checkpoint_interval_steps", 0)),
      checkpoint_seconds_(config_.get_float("checkpoint_interval_seconds", 0)),
      filters_gradients_(config_.get_bool("gradient_nan_inf_filter", false)) {
  allow_recorded_launches(config_.get_bool("cuda_graphs", true));
  if (distributed_.data == DistributedOptions::Data::kEverything) {
    constexpr int64_t kSeedPerRank = 16127;  // semantics section 20
    config_.set("dataset_random_seed_offset",
                Value::of(config_.get_int("dataset_random_seed_offset", 0) + kSeedPerRank * communicator_.rank()));
  }
  networks_ = EpochNetworks(config_);
  config_ = networks_.config_of(1);
  model_files_.name_pretraining(networks_.pretrain_epochs());
}

Engine::~Engine() = default;

ExitStatus Engine::run() {
  start_watching();
  try {
    const ExitStatus status = run_task();
    report_times();
    progress().phase = &phases::kOver;
    status_.state(status == ExitStatus::kRunAgain ? "stopped" : "finished");
    return status;
  } catch (const std::exception& error) {
    const std::string text = error.what();
    status_.state("failed: " + text.substr(0, text.find('\n')));
    throw;
  }
}

ExitStatus Engine::run_task() {
  const std::string task = config_.get_string("task", "train");
  if (task == "train") {
    return train();
  }
  if (task == "eval") {
    evaluate();
    return ExitStatus::kOk;
  }
  if (task == "analyze") {
    analyze();
    return ExitStatus::kOk;
  }
  if (task == "search") {
    search();
    return ExitStatus::kOk;
  }
  forward();
  return ExitStatus::kOk;
}

void Engine::build_training_network() {
  NetworkOptions options;
  options.train = true;
  options.across_ranks = communicator_.size() > 1;
  options.behavior_version = static_cast<int>(config_.get_int("behavior_version", 0));
  training_ = NetworkWithGradients::differentiate(Network::build(config_, extern_data_, options),
                                                  communicator_.is_root() || distributed_.horovod);
  const Network& network = *training_.network;
  require_loss(config_, network);
  for (const std::string& name : network.unreached_layers()) {
    log_line(2, "warning: " + unreached_layer(config_, name).render());
  }
  ParamStore::GradientMemory gradient_memory;
  if (device_.is_cpu()) {
    gradient_memory = [this](size_t bytes) { return communicator_.memory_for_sums(bytes); };
  }
  store_ = std::make_unique<ParamStore>(network.params(), training_.backward_order, device_, gradient_memory);
  if (device_.is_cpu() && communicator_.size() > 1) {
    log_line(3, fmt::format("gradients are summed {}", communicator_.sums()));
  }
  std::vector<Expr> extra;
  for (const Sink& sink : network.sinks()) {
    extra.push_back(sink.expr);
  }
  meta_update_ = std::make_unique<MetaUpdate>(training_, extra);
  train_runner_ =
      std::make_unique<NetworkRunner>(network, training_.gradients, *store_, extra, row_sums(config_, training_));
  recorder_ = std::make_unique<StepRecorder>(record_step_, config_, network);
  train_runner_->share_sums(communicator_);
  train_runner_->executor().set_profiling(config_.get_bool("profile_layers", false));
  std::map<std::string, Value> layer_opts;
  std::vector<size_t> offsets;
  std::vector<size_t> counts;
  for (const std::string& name : store_->trainable_names()) {
    layer_opts[name] = network.updater_opts(name);
    param_index_[name] = offsets.size();
    offsets.push_back(store_->offset(name));
    counts.push_back(static_cast<size_t>(store_->value(name).elements()));
    has_gradient_[name] = training_.updated.count(name) != 0;
  }
  make_sums();
  updater_ = std::make_unique<Updater>(config_, *store_, layer_opts, decoupled_l2(config_, network, *store_),
                                       shards_ == nullptr ? nullptr : &communicator_);
  AsyncSums& sums = shards_ != nullptr ? *shards_ : sums_ != nullptr ? *sums_ : communicator_;
  buckets_ = std::make_unique<GradientBuckets>(sums, reinterpret_cast<float*>(store_->flat_gradients().raw()), offsets,
                                               counts, 0, bucket_bytes(config_));
  train_dumps_ = std::make_unique<HdfDumpCallback>(network.sinks(), communicator_);
}

void Engine::build_eval_network(bool with_losses, bool search) {
  NetworkOptions options;
  options.search = search;
  options.eval = with_losses;
  options.across_ranks = communicator_.size() > 1;
  options.behavior_version = static_cast<int>(config_.get_int("behavior_version", 0));
  evaluation_.network = Network::build(config_, extern_data_, options);
  const Network& network = *evaluation_.network;
  if (store_ == nullptr) {
    store_ = std::make_unique<ParamStore>(network.params(), std::vector<std::string>(), device_);
  }
  std::vector<Sink> sinks = network.sinks();
  const std::string output_file = config_.get_string("output_file", "");
  if (!with_losses && !search && !output_file.empty()) {
    const NetworkLayer* layer = network.default_output_layer();
    if (layer == nullptr) {
      throw Error(ExitStatus::kConfig, "task 'forward' needs an output layer, e.g. one named 'output'");
    }
    const Value file = Value::dict({{Value::of("filename"), Value::of(output_file)}});
    sinks.push_back({"output_file", layer->output.data, layer->output.expr, "output_file", file});
  }
  std::vector<Expr> exprs;
  for (const Sink& sink : sinks) {
    exprs.push_back(sink.expr);
  }
  if (search) {
    exprs.push_back(search_layer().output.expr);
    if (search_layer().beam_scores.defined()) exprs.push_back(search_layer().beam_scores);
  }
  eval_runner_ = std::make_unique<NetworkRunner>(network, std::map<std::string, Expr>(), *store_, exprs);
  eval_runner_->share_sums(communicator_);
  eval_dumps_ = std::make_unique<HdfDumpCallback>(sinks, communicator_, train_dumps_.get());
}

const Network& Engine::any_network() const {
  return training_.network != nullptr ? *training_.network : *evaluation_.network;
}

Dataset& Engine::dataset(const std::string& role, const Value& options) {
  std::unique_ptr<Dataset>& entry = datasets_[role];
  if (entry == nullptr) {
    const PhaseScope phase(phases::kDataset);
    fault_point("dataset");
    entry = make_dataset(options, config_, role);
    const std::map<std::string, KeyInfo> keys = entry->keys();
    for (const std::string& key : any_network().used_data_keys()) {
      const Data& data = extern_data_.keys.at(key);
      const auto found = keys.find(key);
      if (found == keys.end()) {
        std::vector<std::string> names;
        for (const auto& [name, info] : keys) {
          names.push_back(name);
        }
        throw options.error(fmt::format("dataset '{}' has no data key '{}' that the network uses; its keys: {}", role,
                                        key, fmt::format("{}", fmt::join(names, ", "))));
      }
      const Dim dim = data.feature_or_sparse_dim();
      if (found->second.sparse != data.sparse() ||
          (dim.defined() && dim.is_static() && dim.size() != found->second.dim)) {
        throw Error(ExitStatus::kConfig,
                    fmt::format("data key '{}': extern_data says {}{}, dataset '{}' has {} of dim {}", key,
                                data.sparse() ? "sparse " : "", data.str(), role,
                                found->second.sparse ? "sparse labels" : "dense features", found->second.dim))
            .at(options.span(), options.path());
      }
    }
  }
  return *entry;
}

ExitStatus Engine::train() {
  build_training_network();
  build_eval_network(true);
  observers_.graph_made();
  if (communicator_.is_root() && model_files_.enabled()) {
    require_writable(config_, "model", model_files_.epoch_path(1));
    lock_ = std::make_unique<FileLock>(model_files_.lock_path());
    status_.write_to(model_files_.base());
    model_files_.recover();
  }
  learning_rates_ = std::make_unique<LearningRateControl>(config_);
  if (communicator_.is_root() && !learning_rates_->file().empty()) {
    require_writable(config_, "learning_rate_file", learning_rates_->file());
  }
  learning_rates_->load();
  require_same_start(dataset("train", *config_.find("train")));
  const int first_epoch = restore();
  const ExitStatus status = train_epochs(first_epoch);
  writer_.wait();
  status_.checkpoint_took(writer_.last_seconds());
  train_dumps_->close();
  eval_dumps_->close();
  observers_.graph_reset();
  return status;
}

ExitStatus Engine::train_epochs(int first_epoch) {
  const int last_epoch = static_cast<int>(config_.get_int("num_epochs", 5));
  if (!complete_scores()) {
    log_line(1, "Stopped by a signal during an evaluation; the same command goes on from here.");
    return ExitStatus::kRunAgain;
  }
  for (int epoch = first_epoch; epoch <= last_epoch; ++epoch) {
    change_network(epoch);
    const double learning_rate = learning_rate_of(epoch);
    progress().epoch = epoch;
    log_line(3, fmt::format("start {} with learning rate {} ...", epoch_text(epoch), learning_rate));
    if (epoch == 1 && global_step_ == 0 && config_.get_bool("save_epoch1_initial_model", false)) {
      save_epoch(0, {});
    }
    const PassResult result = train_epoch(epoch, learning_rate);
    if (result.stopped) {
      save_mid_epoch(epoch, result);
      log_line(1, fmt::format("Stopped by a signal in epoch {}; the same command goes on from here.", epoch));
      return ExitStatus::kRunAgain;
    }
    if (!finish_epoch(epoch, result)) {
      writer_.wait();
      log_line(1, fmt::format("Stopped by a signal after epoch {}; the same command goes on from here.", epoch));
      return ExitStatus::kRunAgain;
    }
  }
  log_line(1, fmt::format("Finished training in epoch {}.", last_epoch));
  return ExitStatus::kOk;
}

bool Engine::finish_epoch(int epoch, const PassResult& result) {
  if (distributed_.reduce == DistributedOptions::Reduce::kParameters) {
    average_parameters();
  }
  pace_.log_shares();
  const int64_t save_interval = config_.get_int("save_interval", 1);
  const bool last = epoch == config_.get_int("num_epochs", 5);
  std::map<std::string, double> errors = scores("train", result);
  // A float32 there, which Python writes with the fewest digits.
  errors[":meta:effective_learning_rate"] = std::stod(fmt::format("{}", static_cast<float>(learning_rate_of(epoch))));
  errors[":meta:epoch_num_train_steps"] = static_cast<double>(result.steps);
  errors[":meta:epoch_train_time_secs"] = static_cast<double>(static_cast<int64_t>(result.seconds));
  errors[":meta:global_train_step"] = static_cast<double>(global_step_ - result.steps);  // at the start of the epoch
  const bool save = last || (save_interval > 0 && epoch % save_interval == 0);
  if (save) {
    save_epoch(epoch, errors);
  }
  learning_rates_->set_error(epoch, errors);
  if (communicator_.is_root()) {
    learning_rates_->save();
  }
  const std::string line = fmt::format("{} score: {} error: {} elapsed: {}", epoch_text(epoch), score_text(result),
                                       error_text(result), format_hms(result.seconds));
  log_line(1, line);
  status_.score(line);
  const bool complete = evaluate_epoch(epoch);
  if (!complete && !save) {
    save_epoch(epoch, errors);
  }
  return complete;
}

/// Scores of the evaluation sets into the learning-rate file; false if a signal came before all were done.
bool Engine::evaluate_epoch(int epoch) {
  status_.state("evaluating");
  std::string line;
  for (const auto& [set, result] : evaluate_all(epoch)) {
    if (result.stopped) {
      return false;
    }
    learning_rates_->set_error(epoch, scores(set, result));
    line +=
        fmt::format("{}{}: score {} error {}", line.empty() ? "" : " ", set, score_text(result), error_text(result));
  }
  if (!line.empty()) {
    log_line(1, line);
  }
  observers_.epoch_finished({epoch, global_step_, learning_rate_of(epoch), learning_rates_->epochs().at(epoch).error},
                            *store_);
  if (communicator_.is_root()) {
    learning_rates_->save();
    const PhaseScope phase(phases::kCheckpoint);
    writer_.wait();
    log_line(4, fmt::format("the checkpoint took {:.2f} s to write", writer_.last_seconds()));
    model_files_.clean_up(learning_rates_->epochs());
  }
  return true;
}

/// After a restart: scores that the run had not come to when it ended, so that the learning rate goes its way. False: a
/// signal came again before all were there.
bool Engine::complete_scores() {
  if (!scores_to_complete_) {
    return true;
  }
  const auto [epoch, saved] = *scores_to_complete_;
  scores_to_complete_.reset();
  if (saved.empty()) {
    return true;
  }
  learning_rate_of(epoch);
  const auto known = learning_rates_->epochs().find(epoch);
  const bool has_train = known != learning_rates_->epochs().end() && !known->second.error.empty();
  int64_t missing = has_train ? 0 : 1;
  if (has_train && config_.find("dev") != nullptr && !config_.find("dev")->is_none()) {
    missing = 1;
    for (const auto& [key, value] : known->second.error) {
      if (key.rfind("dev_", 0) == 0) {
        missing = 0;
      }
    }
  }
  communicator_.all_max(&missing, 1);
  if (missing > 0) {
    learning_rates_->set_error(epoch, saved);
    log_line(2, fmt::format("The run ended before the scores of epoch {} were written: evaluating again", epoch));
    return evaluate_epoch(epoch);
  }
  runs_ += evaluation_steps(epoch);
  return true;
}

void Engine::evaluate() {
  choose_network();
  build_eval_network(true);
  observers_.graph_made();
  const int epoch = restore();
  std::string line;
  for (const auto& [set, result] : evaluate_all(epoch)) {
    line +=
        fmt::format("{}{}: score {} error {}", line.empty() ? "" : " ", set, score_text(result), error_text(result));
  }
  eval_dumps_->close();
  observers_.graph_reset();
  log_line(1, line);
}

}  // namespace wende
