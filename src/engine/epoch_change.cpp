/// Networks that differ by epoch: pretraining, get_network.
#include <fmt/core.h>

#include <filesystem>

#include "base/log.h"
#include "engine/engine.h"
#include "engine/param_import.h"
#include "network/random_seeds.h"
#include "tensor/placement.h"

namespace wende {

namespace {

/// ".../network.023" or ".../network.pretrain.023.wende": 23; 0 if no number stands there.
int epoch_in_name(const std::string& path) {
  std::filesystem::path name = std::filesystem::path(path).filename();
  if (name.extension() == ".wende") name = name.stem();
  const std::string number = name.extension().string();
  const bool digits = number.size() > 1 && number.find_first_not_of("0123456789", 1) == std::string::npos;
  return digits && number.size() < 9 ? std::stoi(number.substr(1)) : 0;
}

bool same_value(const Value* a, const Value* b) { return a == nullptr || b == nullptr ? a == b : *a == *b; }

}  // namespace

int Engine::epoch_to_load() const {
  int64_t fallback = 0;
  if (const std::string load = config_.get_string("load", ""); !load.empty()) {
    fallback = epoch_in_name(load);
  } else if (model_files_.enabled()) {
    const std::vector<int> saved = model_files_.saved_epochs();
    fallback = saved.empty() ? 0 : saved.back();
  }
  return static_cast<int>(config_.get_int("load_epoch", config_.get_int("epoch", fallback)));
}

std::string Engine::epoch_text(int epoch) const {
  return fmt::format("{}epoch {}", networks_.is_pretrain(epoch) ? "pretrain " : "", epoch);
}

void Engine::choose_network() {
  if (networks_.varies()) {
    network_epoch_ = std::max(epoch_to_load(), 1);
    config_ = networks_.config_of(network_epoch_);
  }
}

/// Data sets that "#config" replaces are opened anew.
void Engine::change_datasets(const Config& before) {
  for (const char* role : {"train", "dev", "eval"}) {
    if (!same_value(before.find(role), config_.find(role))) {
      datasets_.erase(role);
    }
  }
  if (!same_value(before.find("eval_datasets"), config_.find("eval_datasets"))) {
    std::erase_if(datasets_, [](const auto& entry) { return entry.first != "train"; });
  }
}

/// All that holds on to the networks, in the order in which it depends on another.
void Engine::discard_networks() {
  train_dumps_->close();
  eval_dumps_->close();
  observers_.graph_reset();
  eval_dumps_.reset();
  train_dumps_.reset();
  buckets_.reset();
  updater_.reset();
  shards_.reset();
  sums_.reset();
  recorder_.reset();
  eval_runner_.reset();
  train_runner_.reset();
  meta_update_.reset();
  store_.reset();
  evaluation_ = {};
  training_ = {};
  param_index_.clear();
  has_gradient_.clear();
  optimizer_state_.clear();
  runs_ = 0;
}

void Engine::change_network(int epoch) {
  if (!networks_.varies()) {
    return;
  }
  const Config before = config_;
  config_ = networks_.config_of(epoch);
  change_datasets(before);
  const bool same = networks_.same(network_epoch_, epoch);
  network_epoch_ = epoch;
  if (!same) {
    log_line(3, fmt::format("reinit because network description differs: {}", epoch_text(epoch)));
    std::map<std::string, Tensor> values;
    for (const std::string& name : store_->names()) {
      values[name] = on_host(store_->value(name)).clone();
    }
    discard_networks();
    build_training_network();
    build_eval_network(true);
    store_->initialize(graph_seed(config_));
    take_over(values, epoch);
    observers_.graph_made();
  }
  dataset("train", *config_.find("train"));
}

/// What the new network has under the same name. Other shapes count as copy_param_mode says; the rest starts anew.
void Engine::take_over(const std::map<std::string, Tensor>& values, int epoch) {
  const ParamImport import(*training_.network, networks_.copy_mode(epoch));
  for (const std::string& name : store_->names()) {
    const auto found = values.find(name);
    const std::string layer = name.substr(0, name.find('/'));
    const NetworkLayer* owner = training_.network->find_layer(layer);
    const Value* loss = owner != nullptr ? owner->options.find("loss") : nullptr;
    const bool output = layer == "output" || (loss != nullptr && !loss->is_none());
    if (found == values.end() || (output && networks_.is_pretrain(epoch) && !networks_.copies_output_layers())) {
      continue;
    }
    store_->value(name).copy_from(import.value(name, on_host(store_->value(name)), &found->second));
  }
}

double Engine::learning_rate_of(int epoch) {
  if (const std::optional<double> rate = networks_.learning_rate(epoch)) {
    learning_rates_->set_learning_rate(epoch, *rate);
    return *rate;
  }
  const int pretraining = networks_.pretrain_epochs();
  if (pretraining == 0 || epoch > pretraining + 1 || config_.get_bool("use_learning_rate_control_always", false)) {
    return learning_rates_->learning_rate(epoch);
  }
  const double initial = config_.get_float("learning_rate", 1.0);
  const double rate = epoch <= pretraining ? config_.get_float("pretrain_learning_rate", initial) : initial;
  learning_rates_->set_default_learning_rate(epoch, rate);
  return rate;
}

}  // namespace wende
