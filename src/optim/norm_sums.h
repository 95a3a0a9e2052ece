#pragma once

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include "optim/update_shard.h"

namespace wende {

/// Sums of squares of raw gradients by tag; "" = all parameters.
class NormSums {
 public:
  /// Of one parameter. own: of this rank's part of its gradient; whole: what all ranks know already.
  void add(const std::vector<std::string>& tags, double own, double whole) {
    add_to("", own, whole);
    for (const std::string& tag : tags) add_to(tag, own, whole);
  }
  std::map<std::string, double> norms(const UpdateShard& shard) const {
    std::map<std::string, double> result;
    for (const auto& [tag, sum] : sums_) result[tag] = std::sqrt(shard.sum_over_ranks(sum.own) + sum.whole);
    return result;
  }

 private:
  struct Sum {
    double own = 0;
    double whole = 0;
  };
  void add_to(const std::string& tag, double own, double whole) {
    Sum& sum = sums_[tag];
    sum.own += own;
    sum.whole += whole;
  }
  std::map<std::string, Sum> sums_;
};

}  // namespace wende
