#include "network/sequence_lengths.h"

#include "base/error.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {

Expr SequenceLengths::own(const Dim& dim) const {
  if (const auto found = own_.find(dim.id()); found != own_.end()) {
    return found->second;
  }
  for (const Dim& operand : dim.operands()) {
    if (own(operand).defined()) {
      throw Error(ExitStatus::kConfig, "the lengths of the axis " + dim.str() +
                                           ", made of chunks, are not supported by Wende " WENDE_VERSION);
    }
  }
  return {};
}

Dim SequenceLengths::rows_of(const Dim& time, const Dim& otherwise) const {
  const auto found = rows_.find(time.id());
  return found != rows_.end() ? found->second : otherwise;
}

Expr SequenceLengths::of(const Dim& dim, const Dim& batch) {
  Expr& expr = lengths_[{dim.id(), batch.id()}];
  if (!expr.defined()) {
    expr = own(dim);
  }
  if (!expr.defined()) {
    expr = ops::lengths(*graph_, dim, batch);
  }
  return expr;
}

Expr SequenceLengths::mask(const Dim& time, const Dim& batch, bool time_major) {
  Expr& expr = masks_[{time.id(), batch.id(), time_major}];
  if (const Expr lengths = expr.defined() ? Expr{} : own(time); lengths.defined()) {
    const Expr frame = ops::expand_dims(ops::range(*graph_, time), time_major ? 1 : 0);
    expr = ops::binary(ops::Binary::kLess, frame, ops::expand_dims(lengths, time_major ? 0 : 1));
  }
  if (!expr.defined()) {
    expr = ops::sequence_mask(*graph_, batch, time, time_major);
  }
  return expr;
}

}  // namespace wende
