#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/progress.h"

namespace wende {

/// What is known of one rank at some moment.
struct RankView {
  int rank = 0;
  bool known = true;  ///< false: it has never been heard of, nothing can be said
  PhaseKind kind = PhaseKind::kWork;
  int64_t epoch = 0;
  int64_t step = -1;
  double age = 0;     ///< seconds since its board last changed
  double silent = 0;  ///< seconds since it was last heard of
  std::string phase, layer, operation;

  std::string str() const;  ///< "rank 1: epoch 1 step 6, compute in layer 'lstm' (lstm), 3.0 s"
};

struct Hang {
  bool found = false;
  std::string message;  ///< who is to blame, then the state of every rank
};

/// A rank that works without any change for longer than `limit` hangs, also one that is silent for so long; what is
/// declared as start-up or checkpoint has `long_limit`. Ranks that wait are to blame only if all wait.
Hang find_hang(const std::vector<RankView>& ranks, double limit, double long_limit);

}  // namespace wende
