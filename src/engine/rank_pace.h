#pragma once

#include <cstdint>
#include <vector>

#include "collective/communicator.h"

namespace wende {

/// How the ranks' time goes: busy, waiting for other ranks, waiting for data. Names a rank that holds up the others.
class RankPace {
 public:
  RankPace(Communicator& communicator, int64_t interval);
  void begin();  ///< of a pass
  /// After each training step; every `interval` steps the ranks compare, and a rank whose busy time is above 1.5 times
  /// the median is named in a warning.
  void step_done(int64_t global_step);
  /// All ranks: one log line with the shares of waiting since begin().
  void log_shares();

 private:
  std::vector<double> from_all(double value) const;
  Communicator& communicator_;
  int64_t interval_;
  int64_t steps_ = 0;
  double start_ = 0, wait_start_ = 0, input_start_ = 0;  ///< of the pass
  double window_ = 0, window_wait_ = 0;                  ///< of the interval
};

}  // namespace wende
