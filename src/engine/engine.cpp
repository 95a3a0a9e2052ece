#include "engine/engine.h"

#include <fmt/core.h>
#include <fmt/format.h>

#include <algorithm>

#include "base/clock.h"
#include "base/log.h"
#include "engine/config_check.h"
#include "engine/training_device.h"
#include "io/atomic_file.h"

namespace wende {

namespace {

/// Before any member is made: the mistakes of the options come first.
Config checked(Config config) {
  for (const Diagnostic& warning : config_warnings(config)) {
    log_line(1, "warning: " + warning.render());
  }
  check_config(config);
  return config;
}

}  // namespace

Engine::Engine(Config config, Communicator& communicator)
    : config_(checked(std::move(config))),
      communicator_(communicator),
      extern_data_(ExternData::from_config(config_)),
      model_files_(config_) {}

Engine::~Engine() = default;

ExitStatus Engine::run() {
  const std::string task = config_.get_string("task", "train");
  if (task == "train") {
    return train();
  }
  if (task == "eval") {
    evaluate();
    return ExitStatus::kOk;
  }
  forward();
  return ExitStatus::kOk;
}

void Engine::build_training_network() {
  NetworkOptions options;
  options.train = true;
  options.behavior_version = static_cast<int>(config_.get_int("behavior_version", 0));
  training_ =
      NetworkWithGradients::differentiate(Network::build(config_, extern_data_, options), communicator_.is_root());
  const Network& network = *training_.network;
  require_loss(config_, network);
  for (const std::string& name : network.unreached_layers()) {
    log_line(2, fmt::format("warning: layer '{}' is never reached from an output, a loss or is_output_layer", name));
  }
  store_ =
      std::make_unique<ParamStore>(network.params(), training_.backward_order, training_device(config_, communicator_));
  train_runner_ = std::make_unique<NetworkRunner>(network, training_.gradients, *store_, [&] {
    std::vector<Expr> sinks;
    for (const Sink& sink : network.sinks()) {
      sinks.push_back(sink.expr);
    }
    return sinks;
  }());
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
  updater_ = std::make_unique<Updater>(config_, *store_, layer_opts, decoupled_l2(config_, network, *store_));
  buckets_ = std::make_unique<GradientBuckets>(communicator_, reinterpret_cast<float*>(store_->flat_gradients().raw()),
                                               offsets, counts, 0);
  train_dumps_ = std::make_unique<HdfDumpCallback>(network.sinks(), communicator_);
}

void Engine::build_eval_network(bool with_losses) {
  NetworkOptions options;
  options.eval = with_losses;
  options.behavior_version = static_cast<int>(config_.get_int("behavior_version", 0));
  evaluation_.network = Network::build(config_, extern_data_, options);
  const Network& network = *evaluation_.network;
  if (store_ == nullptr) {
    store_ = std::make_unique<ParamStore>(network.params(), std::vector<std::string>(),
                                          training_device(config_, communicator_));
  }
  std::vector<Sink> sinks = network.sinks();
  const std::string output_file = config_.get_string("output_file", "");
  if (!with_losses && !output_file.empty()) {
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
  eval_runner_ = std::make_unique<NetworkRunner>(network, std::map<std::string, Expr>(), *store_, exprs);
  eval_dumps_ = std::make_unique<HdfDumpCallback>(sinks, communicator_);
}

const Network& Engine::any_network() const {
  return training_.network != nullptr ? *training_.network : *evaluation_.network;
}

Dataset& Engine::dataset(const std::string& role, const Value& options) {
  std::unique_ptr<Dataset>& entry = datasets_[role];
  if (entry == nullptr) {
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
  if (communicator_.is_root() && model_files_.enabled()) {
    check_writable(model_files_.epoch_path(1));
  }
  learning_rates_ = std::make_unique<LearningRateControl>(config_);
  learning_rates_->load();
  dataset("train", *config_.find("train"));
  const int first_epoch = restore();
  const ExitStatus status = train_epochs(first_epoch);
  train_dumps_->close();
  eval_dumps_->close();
  return status;
}

ExitStatus Engine::train_epochs(int first_epoch) {
  const int last_epoch = static_cast<int>(config_.get_int("num_epochs", 5));
  for (int epoch = first_epoch; epoch <= last_epoch; ++epoch) {
    const double learning_rate = learning_rates_->learning_rate(epoch);
    log_line(3, fmt::format("start epoch {} with learning rate {} ...", epoch, learning_rate));
    const PassResult result = train_epoch(epoch, learning_rate);
    if (result.stopped) {
      save_mid_epoch(epoch, result);
      log_line(1, fmt::format("Stopped by a signal in epoch {}; the same command goes on from here.", epoch));
      return ExitStatus::kRunAgain;
    }
    finish_epoch(epoch, result);
  }
  log_line(1, fmt::format("Finished training in epoch {}.", last_epoch));
  return ExitStatus::kOk;
}

void Engine::finish_epoch(int epoch, const PassResult& result) {
  const int64_t save_interval = config_.get_int("save_interval", 1);
  const bool last = epoch == config_.get_int("num_epochs", 5);
  if (last || (save_interval > 0 && epoch % save_interval == 0)) {
    save_epoch(epoch);
  }
  std::map<std::string, double> errors = scores("train", result);
  errors[":meta:effective_learning_rate"] = learning_rates_->learning_rate(epoch);
  errors[":meta:epoch_num_train_steps"] = static_cast<double>(result.steps);
  errors[":meta:epoch_train_time_secs"] = static_cast<double>(static_cast<int64_t>(result.seconds));
  errors[":meta:global_train_step"] = static_cast<double>(global_step_);
  learning_rates_->set_error(epoch, errors);
  if (communicator_.is_root()) {
    learning_rates_->save();
  }
  log_line(1, fmt::format("epoch {} score: {} error: {} elapsed: {}", epoch, score_text(result), error_text(result),
                          format_hms(result.seconds)));
  std::string line;
  for (const auto& [set, eval_result] : evaluate_all(epoch)) {
    learning_rates_->set_error(epoch, scores(set, eval_result));
    line += fmt::format("{}{}: score {} error {}", line.empty() ? "" : " ", set, score_text(eval_result),
                        error_text(eval_result));
  }
  if (!line.empty()) {
    log_line(1, line);
  }
  if (communicator_.is_root()) {
    learning_rates_->save();
    model_files_.clean_up(learning_rates_->epochs());
  }
}

void Engine::evaluate() {
  build_eval_network(true);
  const int epoch = restore();
  std::string line;
  for (const auto& [set, result] : evaluate_all(epoch)) {
    line +=
        fmt::format("{}{}: score {} error {}", line.empty() ? "" : " ", set, score_text(result), error_text(result));
  }
  eval_dumps_->close();
  log_line(1, line);
}

}  // namespace wende
