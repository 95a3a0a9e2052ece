#pragma once

#include <string>

#include "engine/engine.h"

namespace wende {

/// One pass through a dataset.
struct Engine::Pass {
  std::string name;    ///< "train", "dev", ...
  std::string prefix;  ///< of step lines: "train epoch 1", "epoch 1 'dev' eval"
  Dataset* dataset = nullptr;
  bool train = false;
  int epoch = 1;
  double learning_rate = 0;
};

/// Which batches of an epoch this rank takes, and how many steps that makes for all.
struct Engine::PassPlan {
  BatchPlan batches;
  int rank = 0;
  int ranks = 1;
  int64_t first_batch = 0;
  int64_t first_step = 0;  ///< more than 0 in an epoch that was interrupted
  int64_t steps = 0;
};

/// Adds a step's losses to those of its pass.
void add_losses(const StepReport& report, PassResult& result);

}  // namespace wende
