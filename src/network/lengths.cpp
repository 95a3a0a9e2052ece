#include <fmt/core.h>

#include "network/construction.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {

/// Lengths of an axis that a layer made, as of chunks; undefined: they follow from those of the data.
Expr NetworkConstruction::own_lengths(const Dim& dim) const {
  if (const auto found = own_lengths_.find(dim.id()); found != own_lengths_.end()) {
    return found->second;
  }
  for (const Dim& operand : dim.operands()) {
    if (own_lengths(operand).defined()) {
      throw Error(ExitStatus::kConfig, "the lengths of the axis " + dim.str() +
                                           ", made of chunks, are not supported by Wende " WENDE_VERSION);
    }
  }
  return {};
}

Dim NetworkConstruction::batch_of(const Data& data) const {
  return data.has_batch() ? data.dims[static_cast<size_t>(data.batch_axis())] : batch_;
}

Dim NetworkConstruction::rows_with(const NetworkLevel& level, const Dim& time, const Dim& of) const {
  const auto beam = beam_of_time_.find(time.id());
  return beam != beam_of_time_.end() ? beam->second : of.defined() ? of : batch_dim(level);
}

Expr NetworkConstruction::lengths(const NetworkLevel& level, const Dim& dim, const Dim& of) {
  const Dim batch = rows_with(level, dim, of);
  Expr& expr = lengths_[{dim.id(), batch.id()}];
  if (!expr.defined()) {
    expr = own_lengths(dim);
  }
  if (!expr.defined()) {
    expr = ops::lengths(graph(), dim, batch);
  }
  return level.graph->capture(expr);
}

Expr NetworkConstruction::mask(const NetworkLevel& level, const Dim& time, bool time_major, const Dim& of) {
  const Dim batch = rows_with(level, time, of);
  Expr& expr = masks_[{time.id(), batch.id(), time_major}];
  if (const Expr own = expr.defined() ? Expr{} : own_lengths(time); own.defined()) {
    const Expr frame = ops::expand_dims(ops::range(graph(), time), time_major ? 1 : 0);
    expr = ops::binary(ops::Binary::kLess, frame, ops::expand_dims(own, time_major ? 0 : 1));
  }
  if (!expr.defined()) {
    expr = ops::sequence_mask(graph(), batch, time, time_major);
  }
  return level.graph->capture(expr);
}

}  // namespace wende
