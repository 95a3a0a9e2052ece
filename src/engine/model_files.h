#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "config/config.h"
#include "optim/learning_rate_control.h"

namespace wende {

/// Names of a model's checkpoints: "<model>.NNN.wende" per epoch, "<model>.mid.wende" inside an epoch.
class ModelFiles {
 public:
  explicit ModelFiles(const Config& config);

  bool enabled() const { return !base_.empty(); }
  std::string epoch_path(int epoch) const;
  /// The first epochs' models are called "<model>.pretrain.NNN.wende".
  void name_pretraining(int epochs) { pretrain_epochs_ = epochs; }
  /// An epoch's model under whichever name it is there; if it is only there as RETURNN saves it, that.
  std::string saved_path(int epoch) const;
  std::string mid_epoch_path() const { return base_ + ".mid.wende"; }
  std::string lock_path() const { return base_ + ".lock"; }
  std::string base() const { return base_; }
  std::string hang_folder() const { return base_.empty() ? "" : base_ + ".hang"; }
  std::string non_finite_case_path(int64_t step, int rank) const;
  /// Removes what a killed run left behind (temporary folders), and finishes an exchange that it had begun. Only while
  /// this process holds the lock.
  void recover() const;
  /// Epochs with a complete checkpoint, ascending.
  std::vector<int> saved_epochs() const;
  /// Removes old models by cleanup_old_models (semantics section 15) and says which.
  void clean_up(const std::map<int, EpochData>& scores) const;
  /// Refuses unknown keys and numbers out of range in a dict for cleanup_old_models.
  static void check_rules(const Value& rules);
  /// The epochs that the rules keep: last n, best n per score key, and the pattern.
  static std::set<int> epochs_to_keep(const Value& rules, const std::vector<int>& saved,
                                      const std::map<int, EpochData>& scores);

 private:
  std::string base_;
  int pretrain_epochs_ = 0;
  Value cleanup_;
};

}  // namespace wende
