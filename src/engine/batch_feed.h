#pragma once

#include <optional>

#include "dataset/batch.h"
#include "engine/network_runner.h"

namespace wende {

/// The batches of a pass for a runner. With a GPU the next one is fetched, and its copy to the GPU started, while the
/// step before still runs there.
class BatchFeed {
 public:
  BatchFeed(BatchLoader& loader, NetworkRunner& runner) : loader_(loader), runner_(runner) {}

  /// Nothing at the end.
  std::optional<Batch> next();
  /// To be called when a step is launched: fetches the next batch if it is there already.
  void look_ahead();

 private:
  BatchLoader& loader_;
  NetworkRunner& runner_;
  bool ahead_ = false;
  std::optional<Batch> batch_;  ///< if ahead_
};

}  // namespace wende
