#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collective/communicator.h"
#include "config/config.h"
#include "optim/param_store.h"
#include "optim/touched_rows.h"

namespace wende {

/// Whose gradients: a step with meta losses has a second update, after the objective's.
enum class UpdateBy { kObjective, kMetaLosses };

/// Gradient processing and optimiser as RETURNN's Updater has them (semantics section 18): order of steps, formulas,
/// defaults.
class Updater {
 public:
  /// layer_opts: updater_opts per parameter (None if not given). decoupled_l2: L2 factor per parameter when
  /// decouple_constraints is set. sharded_over: this rank updates its range of the flat block only
  /// (collective/shards.h), and keeps the optimiser's state of that. Throws kConfig for unknown optimisers and options
  /// with the closest name.
  Updater(const Config& config, ParamStore& params, const std::map<std::string, Value>& layer_opts,
          const std::map<std::string, double>& decoupled_l2 = {}, Communicator* sharded_over = nullptr);
  ~Updater();

  /// One step: gradients are in params.gradient(); has_gradient says which parameters have one.
  /// step: 0-based global train step (accumulation, dynamic_learning_rate, noise).
  /// rows: of the parameters whose gradient is one of rows for RETURNN (engine/row_gradients.h).
  void step(double learning_rate, int64_t step, int epoch, const std::map<std::string, bool>& has_gradient,
            UpdateBy by = UpdateBy::kObjective, const std::map<std::string, RowSums>& rows = {});
  /// The learning rate of a step after dynamic_learning_rate.
  double effective_learning_rate(double learning_rate, int64_t step, int epoch) const;

  /// Gradients as they went into the optimiser in the last step (after clipping etc.); for `wende replay`.
  std::map<std::string, Tensor> processed_gradients() const;
  /// Optimiser state by name ("W/adam_m", ...), for checkpoints; on the device that updates the parameters.
  std::map<std::string, Tensor> state() const;
  /// The same of the ranks' parts together, on the host: all ranks call it.
  std::map<std::string, Tensor> gathered_state() const;
  /// Of all parameters, whichever this rank updates.
  void load_state(const std::map<std::string, Tensor>& state);

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

std::vector<std::string> optimizer_class_names();

}  // namespace wende
