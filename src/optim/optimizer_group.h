#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>

#include "config/value.h"
#include "optim/device_update.h"
#include "optim/optimizer.h"
#include "optim/updater.h"

namespace wende {

/// Parameters with the same optimiser.
struct OptimizerGroup {
  std::unique_ptr<Optimizer> optimizer;
  double learning_rate_multiplier = 1;
  int64_t updates = 0;
  Value options;  ///< as written; equal options share one group
  std::unique_ptr<DeviceUpdate> on_device;

  /// The number of this update, from 1, as the formulas take it. The meta losses' has the objective's, and counts as
  /// one more: TensorFlow computes both from the powers of beta at the start of the step (golden case s137).
  int64_t count(UpdateBy by) {
    if (by == UpdateBy::kObjective) return ++updates;
    updates = std::max<int64_t>(updates, 1) + 1;
    return updates - 1;
  }
};

}  // namespace wende
