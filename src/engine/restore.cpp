/// Checkpoints of a run: what is saved when, and what a start goes on from.
#include <fmt/core.h>

#include <cmath>

#include "base/clock.h"
#include "base/log.h"
#include "base/progress.h"
#include "engine/engine.h"
#include "engine/non_finite.h"
#include "engine/param_import.h"
#include "engine/preload.h"
#include "engine/step_log.h"
#include "network/random_seeds.h"
#include "tensor/finite.h"
#include "tensor/placement.h"

namespace wende {

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
    checkpoint.params[name] = on_host(store_->value(name)).clone();
  }
  if (updater_ != nullptr) {
    for (const auto& [name, tensor] : shards_ != nullptr ? optimizer_state_ : updater_->state()) {
      checkpoint.optimizer[name] = on_host(tensor).clone();
    }
  }
  checkpoint.texts["dataset"] = dataset_signature_;
  checkpoint.counters = {
      {"epoch", epoch}, {"global_step", global_step_}, {"runs", runs_}, {"world_size", communicator_.size()}};
  return checkpoint;
}

void Engine::save_epoch(int epoch, const std::map<std::string, double>& scores) {
  gather_optimizer_state();
  if (!model_files_.enabled() || !communicator_.is_root() || !may_save()) {
    return;
  }
  const PhaseScope phase(phases::kCheckpoint);
  const std::string path = model_files_.epoch_path(epoch);
  log_line(3, fmt::format("Save model under {}", path));
  Checkpoint checkpoint = make_checkpoint(epoch);
  for (const auto& [key, value] : scores) {
    checkpoint.numbers["score/" + key] = value;
  }
  writer_.start(path, std::move(checkpoint), [mid = model_files_.mid_epoch_path()] { remove_checkpoint(mid); });
}

/// Values that are not finite must not become the newest checkpoint.
bool Engine::may_save() const {
  for (const std::string& name : store_->names()) {
    if (store_->value(name).dtype() == DType::kFloat32 && !numbers_finite(store_->value(name))) {
      log_line(1, fmt::format("No checkpoint: parameter '{}' is not finite", name));
      return false;
    }
  }
  return true;
}

void Engine::save_at_interval(int epoch, const PassResult& partial, const StepFlags& flags, int64_t steps) {
  const bool due = flags.checkpoint > 0 || (checkpoint_steps_ > 0 && global_step_ % checkpoint_steps_ == 0);
  if (due) {
    gather_optimizer_state();
  }
  if (!model_files_.enabled() || !communicator_.is_root() || partial.stopped || partial.steps == steps) {
    return;
  }
  writer_.check();
  if (!due || writer_.busy()) {  // a disk that is slower than the interval must not hold up training
    return;
  }
  start_mid_epoch(epoch, partial);
}

void Engine::save_mid_epoch(int epoch, const PassResult& partial) {
  gather_optimizer_state();
  if (model_files_.enabled() && communicator_.is_root()) {
    start_mid_epoch(epoch, partial);
    const PhaseScope phase(phases::kCheckpoint);
    writer_.wait();
  }
  communicator_.barrier();
}

void Engine::start_mid_epoch(int epoch, const PassResult& partial) {
  if (!may_save()) {
    return;
  }
  const PhaseScope phase(phases::kCheckpoint);
  Checkpoint checkpoint = make_checkpoint(epoch);
  checkpoint.counters["step_in_epoch"] = partial.steps;
  checkpoint.counters["batches_done"] = partial.batches;
  for (size_t i = 0; i < partial.losses.size(); ++i) {
    checkpoint.numbers[fmt::format("value/{}", i)] = partial.losses[i].value;
    checkpoint.numbers[fmt::format("error/{}", i)] = partial.losses[i].error;
    checkpoint.numbers[fmt::format("inv_norm/{}", i)] = partial.losses[i].inv_norm;
  }
  log_line(3, fmt::format("Save model under {}", model_files_.mid_epoch_path()));
  writer_.start(model_files_.mid_epoch_path(), std::move(checkpoint));
  last_checkpoint_ = monotonic_seconds();
}

/// A model that a start takes its parameters from: the layers' custom_param_importer counts. A run that goes on with
/// its own model does not ask it, or "reset" would undo each epoch.
void Engine::load_values(const std::string& path, const std::set<std::string>& except) {
  std::map<std::string, Tensor> values = load_parameters(parameter_file(path));
  const ParamImport import(any_network());
  for (const std::string& name : store_->names()) {
    if (!import.mode(name).empty() && except.count(name) == 0) {
      const auto stored = values.find(name);
      values[name] =
          import.value(name, on_host(store_->value(name)), stored == values.end() ? nullptr : &stored->second);
    }
  }
  set_values(values, path, except);
}

void Engine::set_values(const std::map<std::string, Tensor>& values, const std::string& path,
                        const std::set<std::string>& except) {
  std::vector<Diagnostic> problems;
  for (const std::string& name : store_->names()) {
    if (except.count(name) != 0) {
      continue;
    }
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

/// On rank 0: the newest checkpoint that is whole; the others get it from there. Damaged ones are named and skipped.
std::optional<Checkpoint> Engine::newest_checkpoint(const std::vector<int>& saved) {
  std::string bytes;
  if (communicator_.is_root() && model_files_.enabled()) {
    const int last = saved.empty() ? 0 : saved.back();
    std::vector<std::string> paths;
    if (const auto mid = checkpoint_counters(model_files_.mid_epoch_path()); mid && mid->at("epoch") > last) {
      paths.push_back(model_files_.mid_epoch_path());
    }
    for (auto epoch = saved.rbegin(); epoch != saved.rend(); ++epoch) {
      paths.push_back(model_files_.saved_path(*epoch));
    }
    std::optional<Error> first;
    for (const std::string& path : paths) {
      try {
        Checkpoint checkpoint = load_checkpoint(path);
        checkpoint.texts["path"] = path;
        bytes = pack_checkpoint(checkpoint);
        log_line(1, fmt::format("Going on from {}", path));
        break;
      } catch (const Error& error) {
        log_line(1, fmt::format("Skipped: {}", error.what()));
        first = first ? first : error;
      }
    }
    if (bytes.empty() && first) {
      throw *first;
    }
  }
  bytes = communicator_.broadcast_string(bytes);
  return bytes.empty() ? std::nullopt : std::optional(unpack_checkpoint(bytes));
}

int Engine::go_on_from(const Checkpoint& checkpoint) {
  set_values(checkpoint.params, checkpoint.texts.at("path"));
  updater_->load_state(checkpoint.optimizer);
  global_step_ = checkpoint.counters.at("global_step");
  const auto runs = checkpoint.counters.find("runs");
  runs_ = runs != checkpoint.counters.end() ? runs->second : global_step_;
  const int epoch = static_cast<int>(checkpoint.counters.at("epoch"));
  const auto dataset = checkpoint.texts.find("dataset");
  if (dataset != checkpoint.texts.end() && dataset->second != dataset_signature_ &&
      !config_.get_bool("allow_dataset_change", false)) {
    throw Error(ExitStatus::kMalformedInput,
                fmt::format("the training data is not that of the checkpoint: {} now, {} then", dataset_signature_,
                            dataset->second))
        .hint("set allow_dataset_change = True to go on with it");
  }
  if (checkpoint.counters.count("step_in_epoch") != 0) {
    log_line(1, fmt::format("Going on in epoch {} after step {}", epoch, checkpoint.counters.at("step_in_epoch")));
    if (checkpoint.counters.at("world_size") != communicator_.size()) {
      log_line(1, fmt::format("The epoch began on {} ranks and goes on on {}: batches that are not done yet are shared "
                              "anew",
                              checkpoint.counters.at("world_size"), communicator_.size()));
    }
    mid_epoch_ = checkpoint;
    mid_epoch_->counters.emplace("batches_done",
                                 checkpoint.counters.at("step_in_epoch") * checkpoint.counters.at("world_size"));
    return epoch;
  }
  log_line(1, fmt::format("Going on after epoch {}", epoch));
  std::map<std::string, double> scores;
  for (const auto& [key, value] : checkpoint.numbers) {
    if (key.rfind("score/", 0) == 0) {
      scores[key.substr(6)] = value;
    }
  }
  scores_to_complete_ = {epoch, scores};
  return epoch + 1;
}

int Engine::restore() {
  store_->initialize(graph_seed(config_));
  const bool train = training_.network != nullptr;
  if (!train) {
    const std::string load = config_.get_string("load", "");
    const int epoch = epoch_to_load();
    const std::set<std::string> preloaded = preload(false);
    if (!load.empty()) {
      load_values(load, preloaded);
      return epoch > 0 ? epoch : 1;
    }
    if (epoch == 0) {
      throw Error(ExitStatus::kMissingInput, fmt::format("no model to load under '{}': train first, or set 'load'",
                                                         config_.get_string("model", "")));
    }
    log_line(3, fmt::format("Load model {}", model_files_.saved_path(epoch)));
    load_values(model_files_.saved_path(epoch), preloaded);
    return epoch;
  }
  const std::vector<int> saved = model_files_.enabled() ? model_files_.saved_epochs() : std::vector<int>();
  if (const std::optional<Checkpoint> checkpoint = newest_checkpoint(saved)) {
    change_network(static_cast<int>(checkpoint->counters.at("epoch")));
    return go_on_from(*checkpoint);
  }
  const std::set<std::string> preloaded = preload(true);
  for (const char* option : {"import_model_train_epoch1", "load"}) {
    if (const std::string path = config_.get_string(option, ""); !path.empty()) {
      log_line(1, fmt::format("Starting from the parameters in {}", path));
      load_values(path, preloaded);
      break;
    }
  }
  return static_cast<int>(
      config_.has("start_epoch") && config_.find("start_epoch")->is_number() ? config_.get_int("start_epoch", 1) : 1);
}

std::map<std::string, double> Engine::scores_by_loss(const PassResult& result) const {
  std::map<std::string, double> values;
  for (size_t i = 0; i < result.losses.size(); ++i) {
    const NetworkLoss& loss = any_network().losses()[i];
    if (loss.value.defined() && !(result.train && loss.silenced)) {
      values[loss.name] = result.losses[i].value / result.losses[i].inv_norm;
    }
  }
  for (size_t i = 0; i < result.meta.size(); ++i) {
    values[ops::meta_losses(any_network().graph())[i].name] = result.meta[i].value / result.meta[i].inv_norm;
  }
  if (config_.get_bool("calculate_exp_loss", false)) {
    for (const auto& [name, value] : std::map<std::string, double>(values)) {
      values[name + ":exp"] = std::exp(value);
    }
  }
  return values;
}

std::map<std::string, double> Engine::errors_by_loss(const PassResult& result) const {
  std::map<std::string, double> values;
  for (size_t i = 0; i < result.losses.size(); ++i) {
    const NetworkLoss& loss = any_network().losses()[i];
    if (loss.error.defined() && !(result.train && loss.silenced)) {
      values[loss.name] = result.losses[i].error / result.losses[i].inv_norm;
    }
  }
  return values;
}

std::map<std::string, double> Engine::scores(const std::string& set, const PassResult& result) const {
  std::map<std::string, double> values;
  for (const auto& [kind, named] :
       {std::pair{"_score", scores_by_loss(result)}, std::pair{"_error", errors_by_loss(result)}}) {
    for (const auto& [name, value] : named) {
      values[set + kind + (named.size() > 1 ? "_" + name : "")] = value;
    }
  }
  return values;
}

namespace {

/// "0.66", or "aux 0.69 output 0.66" for several losses, or "None". Of "output:exp" the name is "exp".
std::string values_text(const std::map<std::string, double>& values) {
  if (values.empty()) {
    return "None";
  }
  if (values.size() == 1) {
    return number_text(values.begin()->second);
  }
  std::string text;
  for (const auto& [name, value] : values) {
    text += fmt::format("{}{} {}", text.empty() ? "" : " ", name.substr(name.rfind(':') + 1), number_text(value));
  }
  return text;
}

}  // namespace

std::string Engine::score_text(const PassResult& result) const { return values_text(scores_by_loss(result)); }

std::string Engine::error_text(const PassResult& result) const { return values_text(errors_by_loss(result)); }

}  // namespace wende
