/// What happens around a run before its first step: watching, the ranks' agreement, the map of ranks.
#include <fmt/core.h>

#include <algorithm>

#include "base/fault.h"
#include "base/log.h"
#include "base/progress.h"
#include "device/choose_device.h"
#include "device/cuda_memory.h"
#include "device/recorded_launch.h"
#include "engine/engine.h"
#include "engine/rank_map.h"
#include "engine/run_report.h"
#include "engine/stop_signal.h"

namespace wende {

void Engine::start_watching() {
  progress().rank = communicator_.rank();
  read_faults_from_environment();
  Watchdog::Options options;
  options.limit = config_.get_float("watchdog_timeout", 600);
  options.folder = model_files_.hang_folder();
  options.terminated = terminated;
  watchdog_ = std::make_unique<Watchdog>(communicator_, options);
  log_rank_map(communicator_, device_text(device_));
  communicator_.barrier();
  trace_origin_ = monotonic_seconds();
  if (config_.has("timeline_file")) {
    start_trace();
  }
}

namespace {

/// Number, lengths and tags of the sequences; of long lists of tags a thousand.
std::string signature_of(const Dataset& dataset) {
  const std::map<std::string, KeyInfo> keys = dataset.keys();
  std::string text;
  for (const auto& [key, info] : keys) {
    text += fmt::format("{}:{}:{} ", key, info.sparse, info.dim);
  }
  const int64_t count = dataset.sequence_count();
  std::string numbers;
  int64_t frames = 0;
  const int64_t stride = std::max<int64_t>(count / 1000, 1);
  for (int64_t i = 0; i < count; ++i) {
    for (const auto& [key, info] : keys) {
      const int64_t length = dataset.length(i, key);
      frames += length;
      numbers += fmt::format("{} ", length);
    }
    if (i % stride == 0) {
      numbers += dataset.tag(i) + ";";
    }
  }
  return fmt::format("{} sequences, {} frames, hash {:016x}", count, frames, hash64(text + numbers));
}

}  // namespace

Facts Engine::start_facts(const Dataset& dataset) const {
  std::string layout;
  for (const std::string& name : store_->names()) {
    layout += name + store_->value(name).shape().str() + ";";
  }
  for (const std::string& name : store_->trainable_names()) {
    layout += fmt::format("{}@{};", name, store_->offset(name));
  }
  const bool same_data = distributed_.data == DistributedOptions::Data::kShard;
  std::string options;
  for (const char* key : {"batch_size", "max_seqs", "chunking", "learning_rate", "learning_rates", "num_epochs",
                          "gradient_bucket_mb", "gradient_wire_dtype", "shard_optimizer"}) {
    const Value* value = config_.find(key);
    options += value == nullptr ? "-;" : value->repr() + ";";
  }
  return {{"config", config_.source()},
          {"options", options},
          {"random_seed", fmt::format("{}", config_.get_int("random_seed", 1))},
          {"dataset", same_data ? signature_of(dataset) : ""},
          {"parameters", layout},
          {"versions", library_versions(communicator_)}};
}

size_t Engine::state_bytes() const {
  size_t bytes = 0;
  for (const std::string& name : store_->names()) {
    bytes += store_->value(name).bytes();
  }
  for (const std::string& name : store_->trainable_names()) {
    bytes += store_->gradient(name).bytes();
  }
  for (const auto& [name, tensor] : updater_->state()) {
    bytes += tensor.bytes();
  }
  return bytes;
}

void Engine::report_times() {
  if (record_step_.step >= global_step_) {
    log_line(1, fmt::format("warning: step {} is not recorded: the run ends after {} steps", record_step_.step,
                            global_step_));
  }
  if (!device_.is_cpu() && train_runner_ != nullptr) {
    log_line(4, fmt::format("CUDA graphs: {} launches", launched_recordings()));
    log_line(
        4, fmt::format("memory on the GPU: at most {:.1f} MB", static_cast<double>(cuda::peak_bytes_in_use()) * 1e-6));
  }
  if (config_.get_bool("profile_layers", false) && train_runner_ != nullptr) {
    log_line(1, profile_table(train_runner_->executor().seconds_by_scope()));
  }
  if (const std::string path = config_.get_string("timeline_file", ""); !path.empty()) {
    write_trace(communicator_, path, trace_origin_);
  }
}

void Engine::require_same_start(Dataset& dataset) {
  dataset.init_epoch(1);
  dataset_signature_ = signature_of(dataset);
  require_agreement(communicator_, start_facts(dataset));
}

}  // namespace wende
