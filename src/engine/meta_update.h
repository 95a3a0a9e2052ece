#pragma once

#include <map>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "engine/network_runner.h"
#include "optim/updater.h"

namespace wende {

/// The second update of a step, by the gradients of the meta losses (synthetic_gradient, tikhonov_regularization), with
/// the same optimiser state: RETURNN applies both in one step, computed from the same parameters.
class MetaUpdate {
 public:
  /// Appends the gradients to what the runner fetches as extra values.
  MetaUpdate(const NetworkWithGradients& built, std::vector<Expr>& extra);
  bool empty() const { return names_.empty(); }
  /// Gradients of the last run by parameter; each rank's count by its share of the elements.
  std::map<std::string, Tensor> gradients(const NetworkRunner& runner) const;
  /// After the objective's update. has_batch: this rank ran one; report: before its sum over the ranks.
  void apply(const NetworkRunner& runner, bool has_batch, const StepReport& report, ParamStore& store, Updater& updater,
             Communicator& communicator, double learning_rate, int64_t step, int epoch) const;

 private:
  std::vector<std::string> names_;
  size_t first_ = 0;
  bool summed_ = false;  ///< all of them are sums
  bool mixed_ = false;   ///< sums and means
};

}  // namespace wende
