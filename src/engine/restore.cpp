/// Checkpoints of a run: what is saved when, and what a start goes on from.
#include <fmt/core.h>

#include <filesystem>

#include "base/log.h"
#include "engine/engine.h"
#include "engine/step_log.h"
#include "tensor/placement.h"

namespace wende {

namespace fs = std::filesystem;

namespace {

std::string shapes_text(const Tensor& a, const Tensor& b) {
  return fmt::format("{} in the config, {} in the file", a.shape().str(), b.shape().str());
}

/// batch_norm names and shapes its parameters by version ("bn/batch_norm/bn_bn_output_mean" [1,1,F],
/// "bn/batch_norm/mean", "bn/batch_norm/v2_mean" [F]): the value under another version's name, in the wanted shape.
Tensor batch_norm_of_other_version(const std::map<std::string, Tensor>& values, const std::string& name,
                                   const Tensor& target) {
  const size_t folder = name.rfind("/batch_norm/");
  const size_t kind = std::max(name.rfind('_'), name.rfind('/'));
  if (folder == std::string::npos || kind == std::string::npos) {
    return {};
  }
  const std::string prefix = name.substr(0, folder + std::string("/batch_norm/").size());
  const std::string what = name.substr(kind + 1);
  Tensor found;
  for (const auto& [other, value] : values) {
    const bool same = other == prefix + what || (other.starts_with(prefix) && other.ends_with("_" + what));
    if (same && value.elements() == target.elements() && value.dtype() == target.dtype()) {
      if (found.defined()) {
        return {};
      }
      found = value.reshaped(target.shape());
    }
  }
  return found;
}

}  // namespace

Checkpoint Engine::make_checkpoint(int epoch) const {
  Checkpoint checkpoint;
  for (const std::string& name : store_->names()) {
    checkpoint.params[name] = on_host(store_->value(name));
  }
  if (updater_ != nullptr) {
    checkpoint.optimizer = updater_->state();
  }
  checkpoint.counters = {{"epoch", epoch}, {"global_step", global_step_}, {"world_size", communicator_.size()}};
  return checkpoint;
}

void Engine::save_epoch(int epoch) {
  if (!model_files_.enabled()) {
    return;
  }
  const std::string path = model_files_.epoch_path(epoch);
  if (communicator_.is_root()) {
    log_line(3, fmt::format("Save model under {}", path));
    save_checkpoint(path, make_checkpoint(epoch));
    std::error_code ignored;
    fs::remove_all(model_files_.mid_epoch_path(), ignored);
  }
  communicator_.barrier();
}

void Engine::save_mid_epoch(int epoch, const PassResult& partial) {
  if (!model_files_.enabled()) {
    return;
  }
  if (communicator_.is_root()) {
    Checkpoint checkpoint = make_checkpoint(epoch);
    checkpoint.counters["step_in_epoch"] = partial.steps;
    for (size_t i = 0; i < partial.losses.size(); ++i) {
      checkpoint.numbers[fmt::format("value/{}", i)] = partial.losses[i].value;
      checkpoint.numbers[fmt::format("error/{}", i)] = partial.losses[i].error;
      checkpoint.numbers[fmt::format("inv_norm/{}", i)] = partial.losses[i].inv_norm;
    }
    log_line(3, fmt::format("Save model under {}", model_files_.mid_epoch_path()));
    save_checkpoint(model_files_.mid_epoch_path(), checkpoint);
  }
  communicator_.barrier();
}

void Engine::load_values(const std::string& path) {
  const std::map<std::string, Tensor> values = load_parameters(path);
  std::vector<Diagnostic> problems;
  for (const std::string& name : store_->names()) {
    const auto found = values.find(name);
    if (const Tensor other =
            found == values.end() ? batch_norm_of_other_version(values, name, store_->value(name)) : Tensor();
        other.defined()) {
      store_->value(name).copy_from(other);
    } else if (found == values.end()) {
      problems.push_back({{}, "", fmt::format("{}: no parameter '{}'", path, name), "", "", {}});
    } else if (!(found->second.shape() == store_->value(name).shape())) {
      problems.push_back(
          {{},
           "",
           fmt::format("{}: parameter '{}': {}", path, name, shapes_text(store_->value(name), found->second)),
           "",
           "",
           {}});
    } else {
      store_->value(name).copy_from(found->second);
    }
  }
  if (!problems.empty()) {
    throw Error(ExitStatus::kMalformedInput, problems);
  }
}

int Engine::restore() {
  store_->initialize(static_cast<uint64_t>(config_.get_int("random_seed", 1)));
  const bool train = training_.network != nullptr;
  const std::vector<int> saved = model_files_.enabled() ? model_files_.saved_epochs() : std::vector<int>();
  if (!train) {
    const std::string load = config_.get_string("load", "");
    const int64_t fallback = saved.empty() ? 0 : saved.back();
    const int epoch = static_cast<int>(config_.get_int("load_epoch", config_.get_int("epoch", fallback)));
    if (!load.empty()) {
      load_values(load);
      return epoch > 0 ? epoch : 1;
    }
    if (epoch == 0) {
      throw Error(ExitStatus::kMissingInput, fmt::format("no model to load under '{}': train first, or set 'load'",
                                                         config_.get_string("model", "")));
    }
    log_line(3, fmt::format("Load model {}", model_files_.epoch_path(epoch)));
    load_values(model_files_.epoch_path(epoch));
    return epoch;
  }
  const int last = saved.empty() ? 0 : saved.back();
  const auto mid = model_files_.enabled() ? checkpoint_counters(model_files_.mid_epoch_path()) : std::nullopt;
  if (mid && mid->at("epoch") > last) {
    log_line(1, fmt::format("Going on in epoch {} after step {} from {}", mid->at("epoch"), mid->at("step_in_epoch"),
                            model_files_.mid_epoch_path()));
    mid_epoch_ = load_checkpoint(model_files_.mid_epoch_path());
    load_values(model_files_.mid_epoch_path());
    updater_->load_state(mid_epoch_->optimizer);
    global_step_ = mid_epoch_->counters.at("global_step");
    if (mid_epoch_->counters.at("world_size") != communicator_.size()) {
      throw Error(
          ExitStatus::kRanksDisagree,
          fmt::format("the interrupted epoch ran on {} ranks, this run has {}; start it with as many, or remove {}",
                      mid_epoch_->counters.at("world_size"), communicator_.size(), model_files_.mid_epoch_path()));
    }
    return static_cast<int>(mid->at("epoch"));
  }
  if (last > 0) {
    log_line(1, fmt::format("Going on after epoch {} from {}", last, model_files_.epoch_path(last)));
    const Checkpoint checkpoint = load_checkpoint(model_files_.epoch_path(last));
    load_values(model_files_.epoch_path(last));
    updater_->load_state(checkpoint.optimizer);
    global_step_ = checkpoint.counters.at("global_step");
    return last + 1;
  }
  for (const char* option : {"import_model_train_epoch1", "load"}) {
    if (const std::string path = config_.get_string(option, ""); !path.empty()) {
      log_line(1, fmt::format("Starting from the parameters in {}", path));
      load_values(path);
      break;
    }
  }
  return static_cast<int>(
      config_.has("start_epoch") && config_.find("start_epoch")->is_number() ? config_.get_int("start_epoch", 1) : 1);
}

std::map<std::string, double> Engine::scores(const std::string& set, const PassResult& result) const {
  const Network& network = any_network();
  std::map<std::string, double> values;
  for (size_t i = 0; i < result.losses.size(); ++i) {
    const NetworkLoss& loss = network.losses()[i];
    const std::string suffix = result.losses.size() > 1 ? "_" + loss.name : "";
    if (loss.value.defined()) {
      values[set + "_score" + suffix] = result.losses[i].value / result.losses[i].inv_norm;
    }
    if (loss.error.defined()) {
      values[set + "_error" + suffix] = result.losses[i].error / result.losses[i].inv_norm;
    }
  }
  return values;
}

namespace {

/// "0.66", or "aux 0.69 output 0.66" for several losses, or "None".
std::string values_text(const std::vector<std::pair<std::string, double>>& values) {
  if (values.empty()) {
    return "None";
  }
  if (values.size() == 1) {
    return number_text(values[0].second);
  }
  std::string text;
  for (const auto& [name, value] : values) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", name, number_text(value));
  }
  return text;
}

}  // namespace

std::string Engine::score_text(const PassResult& result) const {
  std::vector<std::pair<std::string, double>> values;
  for (size_t i = 0; i < result.losses.size(); ++i) {
    if (any_network().losses()[i].value.defined()) {
      values.emplace_back(any_network().losses()[i].name, result.losses[i].value / result.losses[i].inv_norm);
    }
  }
  return values_text(values);
}

std::string Engine::error_text(const PassResult& result) const {
  std::vector<std::pair<std::string, double>> values;
  for (size_t i = 0; i < result.losses.size(); ++i) {
    if (any_network().losses()[i].error.defined()) {
      values.emplace_back(any_network().losses()[i].name, result.losses[i].error / result.losses[i].inv_norm);
    }
  }
  return values_text(values);
}

}  // namespace wende
