#pragma once

#include <string>
#include <utility>
#include <vector>

#include "optim/optimizer.h"
#include "optim/param_store.h"
#include "optim/update_shard.h"

namespace wende {

/// The weights of one optimiser on a GPU, and the numbers that it keeps for them: flat blocks like those of ParamStore.
class DeviceUpdate {
 public:
  DeviceUpdate(const ParamStore& params, const UpdateShard& shard, const Optimizer& optimizer);

  /// Slot i of this rank's part of a parameter, a view; with the parameter's shape if that is all of it.
  Tensor slot(size_t i, const std::string& param) const;
  struct Choice {
    std::string param;
    std::vector<ShardRange> ranges;  ///< of this rank's part of it
    friend bool operator==(const Choice& a, const Choice& b) = default;
  };
  /// Which weights take part in the next steps.
  void choose(std::vector<Choice> choices);
  bool empty() const { return pieces_.elements() == 0; }
  /// One launch. Gradients (flat, of all parameters) are multiplied by the factor, in place, before they are used.
  void step(const UpdateFormula& formula, const Tensor& gradients, float gradient_factor) const;

 private:
  const ParamStore& params_;
  const UpdateShard& shard_;
  std::vector<Tensor> slots_;  ///< of the shard's range
  std::vector<Choice> chosen_;
  Tensor pieces_;
};

}  // namespace wende
