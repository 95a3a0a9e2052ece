#include "engine/distributed_options.h"

#include <fmt/core.h>

#include <string>
#include <vector>

namespace wende {

namespace {

/// The index of a string option's value among `allowed`; the first one is the default.
size_t choice(const Config& config, const std::string& key, const std::vector<std::string>& allowed) {
  const std::string value = config.get_string(key, allowed.front());
  for (size_t i = 0; i < allowed.size(); ++i) {
    if (value == allowed[i]) {
      return i;
    }
  }
  std::string list;
  for (const std::string& each : allowed) {
    list += fmt::format("{}'{}'", list.empty() ? "" : ", ", each);
  }
  throw config.find(key)
      ->error(fmt::format("{}: '{}' is none of {}", key, value, list))
      .hint(did_you_mean(value, allowed));
}

}  // namespace

DistributedOptions DistributedOptions::from_config(const Config& config) {
  DistributedOptions options;
  options.horovod = config.get_bool("use_horovod", false);
  const bool drop = choice(config, "uneven_data", {"join", "drop"}) == 1;
  options.uneven_training = options.uneven_evaluation = drop ? Uneven::kDrop : Uneven::kJoin;
  options.bfloat16_wire = choice(config, "gradient_wire_dtype", {"float32", "bfloat16"}) == 1;
  options.shard_optimizer = config.get_bool("shard_optimizer", false);
  if (options.shard_optimizer && options.bfloat16_wire) {
    throw config.find("shard_optimizer")
        ->error("shard_optimizer and gradient_wire_dtype 'bfloat16' exclude each other");
  }
  if (!options.horovod) {
    return options;
  }
  options.reduce =
      choice(config, "horovod_reduce_type", {"grad", "param"}) == 0 ? Reduce::kGradients : Reduce::kParameters;
  options.data = choice(config, "horovod_dataset_distribution", {"shard", "random_seed_offset"}) == 0
                     ? Data::kShard
                     : Data::kEverything;
  if (options.shard_optimizer && options.reduce == Reduce::kParameters) {
    throw config.find("shard_optimizer")
        ->error("shard_optimizer needs summed gradients, horovod_reduce_type 'param' has none");
  }
  options.average_gradients = config.get_bool("horovod_avg_grad", false);
  options.scale_learning_rate = config.get_bool("horovod_scale_lr", false);
  if (config.has("horovod_param_sync_time_diff") && !config.find("horovod_param_sync_time_diff")->is_none()) {
    options.param_sync_seconds = config.get_float("horovod_param_sync_time_diff", 0);
  }
  options.param_sync_step = config.get_int("horovod_param_sync_step", 1);
  if (options.param_sync_step < 1) {
    throw config.find("horovod_param_sync_step")->error("horovod_param_sync_step must be at least 1");
  }
  const Value* network = config.find("network");
  const bool finish_all = network != nullptr && network->is_dict() && network->find("#finish_all_data") != nullptr;
  if (!config.has("uneven_data")) {
    options.uneven_evaluation = finish_all ? Uneven::kJoin : Uneven::kDrop;
    options.uneven_training = finish_all && options.reduce == Reduce::kParameters ? Uneven::kJoin : Uneven::kDrop;
  }
  return options;
}

}  // namespace wende
