#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "optim/gradient_processing.h"
#include "optim/optimizer.h"
#include "optim/touched_rows.h"
#include "tensor/tensor.h"

namespace wende {

/// One parameter as the updater has it: this rank's part of it.
struct UpdatedParam {
  std::string name;
  size_t group = 0;  ///< of its optimiser
  GradientOptions options;
  float* values = nullptr;  ///< on the host, as the gradient
  float* gradient = nullptr;
  size_t count = 0;
  uint32_t index = 0;
  double decoupled_l2 = 0;
  std::vector<std::pair<std::string, Tensor>> slots;
  Tensor accumulated;  ///< sum of the gradients of past steps
  Tensor processed;    ///< only with accumulation; else the gradient is processed in place
  bool present = false;
  const RowSums* rows = nullptr;  ///< of this step; null: RETURNN's gradient is dense too

  float* result() const { return processed.defined() ? processed.data<float>() : gradient; }
  std::optional<double> row_squares() const { return rows == nullptr ? std::nullopt : std::optional(rows->squares); }
  /// Does the optimiser get rows, and distinguish those that no frame touched?
  bool updates_rows() const { return rows != nullptr && !rows->marks.empty() && options.updates_rows(); }
  OptimizerRange range(const ShardRange& part) const {
    OptimizerRange range{values + part.begin, result() + part.begin, {}, part.size()};
    for (const auto& [slot, tensor] : slots) range.slots.push_back(tensor.data<float>() + part.begin);
    return range;
  }
};

}  // namespace wende
