#pragma once

#include <map>
#include <string>
#include <vector>

#include "layers/layer_builder.h"

namespace wende {

/// One reported statistic: a number, or a vector of them.
struct StatValue {
  enum class Type { kInt32, kInt64, kFloat32, kFloat64 };
  std::vector<double> numbers;
  Type type = Type::kFloat32;
  bool is_vector = false;
  std::string text() const;  ///< as Python prints it: "0.25", "[0.0, 1.0]", "nan"
};

/// Statistics of layers, the quotients of their sums and weights (loss_perplexity: exp of that), over all ranks: of the
/// last step, and accumulated since the network was made, through training and evaluation alike (RETURNN's variables
/// behave so).
class StatBook {
 public:
  /// sums: of one step, of all ranks, as in StepReport::stats.
  void add(const std::vector<Stat>& stats, const std::vector<double>& sums);
  /// "<layer>:batch_<key>" and "<layer>:accumulated_<key>".
  const std::map<std::string, StatValue>& latest() const { return latest_; }
  /// Forgets what was reported, not what was accumulated.
  void begin_run() { latest_.clear(); }
  /// The block "Stats:" of RETURNN's log; empty without statistics.
  std::vector<std::string> final_lines() const;

 private:
  struct Sums {
    std::vector<double> sum;
    double weight = 0;
  };
  void report(const Stat& stat, const std::string& kind, const Sums& sums, bool accumulated);
  std::map<std::string, Sums> accumulated_;
  std::map<std::string, StatValue> latest_;
};

}  // namespace wende
