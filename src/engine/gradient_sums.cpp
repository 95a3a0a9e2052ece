/// How gradients come together over the ranks: NCCL or MPI, whole or by shards, and what depends on that.
#include "collective/bfloat16.h"
#include "engine/engine.h"

namespace wende {

/// Where neither is made, the communicator sums.
void Engine::make_sums() {
  if (communicator_.size() == 1 || distributed_.reduce == DistributedOptions::Reduce::kParameters) {
    return;
  }
  if (distributed_.shard_optimizer) {
    if (!training_.meta.empty()) {
      throw config_.find("shard_optimizer")
          ->error("shard_optimizer: losses with updates of their own need all parameters");
    }
    const auto* gradients = reinterpret_cast<const float*>(store_->flat_gradients().raw());
    const size_t count = static_cast<size_t>(store_->flat_gradients().elements()) - ParamStore::extra_floats();
    shards_ = device_.is_cpu() ? host_shards(communicator_, gradients, count)
                               : device_shards(communicator_, gradients, count);
  } else if (!device_.is_cpu()) {
    sums_ = device_sums(communicator_, distributed_.bfloat16_wire);
  } else if (distributed_.bfloat16_wire) {
    sums_ = bfloat16_sums(communicator_);
  }
}

/// Before a checkpoint: all ranks call it, the root keeps it.
void Engine::gather_optimizer_state() {
  if (shards_ == nullptr) {
    return;
  }
  optimizer_state_ = updater_->gathered_state();
  if (!communicator_.is_root()) {
    optimizer_state_.clear();
  }
}

/// After the update of this rank's range.
void Engine::share_parameters() {
  if (shards_ != nullptr) {
    shards_->share(reinterpret_cast<float*>(store_->flat_values().raw()));
  }
}

}  // namespace wende
