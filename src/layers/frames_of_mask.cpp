#include "layers/frames_of_mask.h"

#include "ops/cumsum.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {

FramesOfMask frames_of_mask(Expr valid, const Dim& to) {
  Graph& graph = *valid.graph;
  const Expr count = ops::cumsum(ops::cast(valid, DType::kInt32), 0, false);
  ops::found_lengths(ops::reduce(ops::Reduction::kMax, count, {0}), to);
  const auto number = [&](int64_t value) { return ops::int_constant(graph, value); };
  const Dim& batch = valid.dim(1);
  const Expr first = ops::mul(ops::sub(count, number(1)), ops::dim_size(graph, batch));
  const Expr row = ops::add(first, ops::expand_dims(ops::range(graph, batch), 0));
  return {to, valid, ops::where(valid, row, number(0))};
}

Expr kept_frames(const FramesOfMask& frames, Expr x) {
  Expr valid = frames.valid;
  while (valid.rank() < x.rank()) {
    valid = ops::expand_dims(valid, valid.rank());
  }
  const Expr kept = ops::where(valid, ops::cast(x, DType::kFloat32), ops::constant(*x.graph, 0.0));
  std::vector<Dim> dims = x.dims();
  dims[0] = frames.to;
  const Dim rows = Dim::derived(Dim::Op::kMul, {frames.to, dims[1]});
  return ops::cast(ops::reshape(ops::scatter_add(kept, frames.places, rows), dims), x.dtype());
}

}  // namespace wende
