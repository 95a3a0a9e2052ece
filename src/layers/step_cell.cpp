#include "layers/step_cell.h"

#include <algorithm>

#include "ops/dropout.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/loop.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

ops::RecurrentState single_step(LayerBuilder& builder, const RecInput& rec, const StepCell& cell, bool has_cell) {
  const auto given = [&](Expr state) {
    return state.defined() ? state : ops::constant(builder.graph(), 0.0, DType::kFloat32, rec.state_dims);
  };
  CellState before;
  before.h = given(rec.h0);
  before.c = has_cell ? given(rec.c0) : Expr{};
  const CellState after = cell.step(builder.graph(), ops::squeeze(cell.z, 0), before);
  return {ops::expand_dims(after.output, 0), after.h, after.c};
}

}  // namespace

ops::RecurrentState run_step_cell(LayerBuilder& builder, const RecInput& rec, const StepCell& cell, bool has_cell) {
  if (rec.one_step) {
    return single_step(builder, rec, cell, has_cell);
  }
  ops::LoopBuilder loop(builder.graph(), cell.z.dim(0), rec.direction < 0);
  const ExprType state{DType::kFloat32, rec.state_dims};
  CellState before;
  before.h = loop.state(state);
  before.c = has_cell ? loop.state(state) : Expr{};
  CellState after = cell.step(loop.body(), loop.sequence(cell.z), before);
  Expr output = after.output;
  if (rec.mask.defined()) {
    const Expr valid = ops::expand_dims(loop.sequence(rec.mask), 1);
    output = ops::where(valid, output, ops::constant(loop.body(), 0.0));
    after.h = ops::where(valid, after.h, before.h);
    after.c = has_cell ? ops::where(valid, after.c, before.c) : Expr{};
  }
  loop.set_state(before.h, after.h, rec.h0);
  if (has_cell) {
    loop.set_state(before.c, after.c, rec.c0);
  }
  loop.keep(output);
  loop.finish();
  return {loop.stack(output), loop.final_state(before.h), has_cell ? loop.final_state(before.c) : Expr{}};
}

Expr project_input(const RecInput& rec, Expr w, Expr b) {
  if (!rec.sparse) {
    return ops::linear(rec.x, w, b);
  }
  const Expr rows = ops::look_up(w, rec.x);
  return b.defined() ? ops::add(rows, ops::expand_dims(ops::expand_dims(b, 0), 0)) : rows;
}

Expr kernel_rows(Expr kernel, int64_t begin, int64_t end) {
  return ops::slice(kernel, 0, begin, end, 1, Dim::fixed(end - begin, Dim::Kind::kSpatial));
}

Expr gate(Expr x, int index, int64_t n) { return ops::slice(x, 1, index * n, (index + 1) * n, 1, Dim::fixed(n)); }

Expr state_dropout(LayerBuilder& builder, const RecInput& rec, double rate, const std::string& name,
                   std::optional<bool> training) {
  if (rate == 0.0 || !training.value_or(builder.context().train)) {
    return {};
  }
  Graph* outermost = &builder.graph();
  while (outermost->outer()) {
    outermost = outermost->outer();
  }
  return ops::dropout_mask(*outermost, rec.state_dims, 1.0 - rate, builder.random_key(name));
}

}  // namespace wende
