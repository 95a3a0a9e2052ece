#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"

namespace wende {

/// Which network each epoch has (semantics section 19): the config's `network`, one of the steps of `pretrain`, or what
/// `get_network(epoch=...)` returns.
class EpochNetworks {
 public:
  /// Calls the config's construction_algo for all steps. Throws kConfig where that or an option of `pretrain` fails.
  explicit EpochNetworks(const Config& config);

  /// The config as it holds in this epoch: with its network, what that network's "#config" changes, and as
  /// "network_epoch" first_with_network_of(epoch), from which random numbers are derived.
  Config config_of(int epoch);
  /// The epoch in which a training makes this epoch's network, and in which the optimiser begins anew.
  int first_with_network_of(int epoch);
  bool varies() const { return !pretrain_.empty() || function_ != nullptr; }
  int pretrain_epochs() const { return static_cast<int>(pretrain_.size()); }
  bool is_pretrain(int epoch) const { return epoch <= pretrain_epochs(); }
  /// Two epochs have the same dict: the graph and the optimiser's state go on.
  bool same(int epoch, int other);
  /// How the parameters of the epoch before are taken over: "", "ifpossible", "subset" or "reset".
  std::string copy_mode(int epoch);
  /// The output layers start anew with each network.
  bool copies_output_layers() const { return copy_output_layers_; }
  /// "#config" has a learning rate for this epoch.
  std::optional<double> learning_rate(int epoch);

 private:
  const Value& network(int epoch);
  void read_pretrain(const Value& given);

  Config config_;
  std::shared_ptr<const Callable> function_;  ///< get_network
  std::vector<Value> pretrain_;               ///< networks of epochs 1, 2, ...
  std::map<int, Value> made_;                 ///< by get_network
  std::string copy_mode_;
  bool copy_output_layers_ = true;
};

}  // namespace wende
