#include <fmt/core.h>

#include <limits>

#include "config/args.h"
#include "layers/axis_order.h"
#include "layers/eval_call.h"
#include "ops/argsort.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {
namespace {

using ops::Binary;

/// tf.reverse(x, axes): as TensorFlow does, padded frames come first then.
Value reverse(const Call& call) {
  Expr x = call.tensor();
  for (const int axis : axes_in(call.get(1, {"axis"}), x.rank())) {
    x = reversed_axis(x, axis);
  }
  return traced(x);
}

/// tf.roll(x, shift, axis): what leaves at the end comes back at the start.
Value roll(const Call& call) {
  Expr x = call.tensor();
  const std::vector<int> axes = axes_in(call.get(2, {"axis"}), x.rank());
  const Value& shift = call.get(1, {"shift"});
  const std::vector<Value> shifts = items_of(shift);
  for (size_t i = 0; i < axes.size(); ++i) {
    const Dim& dim = x.dim(axes[i]);
    const Expr from = ops::sub(ops::range(call.graph, dim), traced_expr(call.graph, shifts.at(i)));
    x = gather_along(x, axes[i], ops::binary(Binary::kMod, from, ops::dim_size(call.graph, dim)));
  }
  return traced(x);
}

/// tf.sort(x, axis=-1, direction), with the gradient of each element going back to its place.
Value sort(const Call& call) {
  const Expr x = call.tensor();
  if (call.axis(1, x.rank(), -1) != x.rank() - 1) {
    throw Error(ExitStatus::kConfig, "tf.sort is supported along the last axis only");
  }
  const Value* direction = call.find(2, {"direction"});
  const bool descending = direction != nullptr && direction->is_string() && direction->as_string() == "DESCENDING";
  const Expr places = ops::argsort_descending(descending ? x : ops::unary(ops::Unary::kNeg, x));
  // [..., n, n]: each place picks from a row of its own.
  std::vector<Dim> dims = x.dims();
  dims.insert(dims.end() - 1, x.dim(-1));
  return traced(ops::pick_last(ops::broadcast_to(ops::expand_dims(x, x.rank() - 1), dims), places));
}

/// One tensor for each index of an axis.
Value unstack(const Call& call) {
  const Expr x = traced_expr(call.graph, call.get(0, {"value"}));
  const int axis = call.axis(2, x.rank(), 0);
  if (!x.dim(axis).is_static() || x.dim(axis).is_batch()) {
    throw Error(ExitStatus::kConfig, "tf.unstack needs an axis of fixed size, got " + x.dim(axis).str());
  }
  std::vector<Value> parts;
  for (int64_t i = 0; i < x.dim(axis).size(); ++i) {
    parts.push_back(traced(ops::squeeze(ops::slice(x, axis, i, i + 1, 1, Dim::fixed(1, Dim::Kind::kSpatial)), axis)));
  }
  return Value::list(std::move(parts));
}

Value broadcast(const Call& call) {
  const std::vector<Dim> dims = dims_of_value(call.get(1, {"shape"}));
  return traced(ops::broadcast_to(with_rank(call.tensor(), static_cast<int>(dims.size())), dims));
}

Value fill(const Call& call) {
  const std::vector<Dim> dims = dims_of_value(call.get(0, {"dims"}));
  const Expr x = traced_expr(call.graph, call.get(1, {"value"}));
  return traced(
      ops::broadcast_to(ops::reshape(x, std::vector<Dim>(dims.size(), Dim::fixed(1, Dim::Kind::kSpatial))), dims));
}

Value eye(const Call& call) {
  const Dim rows = dim_of_value(call.get(0, {"num_rows"}));
  const Value* columns = call.find(1, {"num_columns"});
  const Dim width = columns == nullptr || columns->is_none() ? rows : dim_of_value(*columns);
  const Expr hit = ops::binary(Binary::kEqual, ops::expand_dims(ops::range(call.graph, rows), 1),
                               ops::expand_dims(ops::range(call.graph, width), 0));
  return traced(ops::cast(hit, DType::kFloat32));
}

Value linspace(const Call& call) {
  const Expr start = ops::cast(traced_expr(call.graph, call.get(0, {"start"})), DType::kFloat32);
  const Expr stop = ops::cast(traced_expr(call.graph, call.get(1, {"stop"})), DType::kFloat32);
  const int64_t count = call.get(2, {"num"}).as_int();
  const Expr at = ops::cast(ops::range(call.graph, Dim::fixed(count, Dim::Kind::kSpatial)), DType::kFloat32);
  const double parts = static_cast<double>(std::max<int64_t>(count - 1, 1));
  return traced(ops::add(start, ops::scale(ops::mul(at, ops::sub(stop, start)), 1.0 / parts)));
}

/// x, scaled down where its norm over the axes is larger.
Value clip_by_norm(const Call& call) {
  const Expr x = traced_expr(call.graph, call.get(0, {"t"}));
  const Value* axes = call.find(2, {"axes"});
  const std::vector<int> over = axes == nullptr || axes->is_none() ? ops::all_axes(x) : axes_in(*axes, x.rank());
  const Expr norm = ops::unary(ops::Unary::kSqrt, ops::reduce(ops::Reduction::kSum, ops::mul(x, x), over, true));
  const Expr limit = ops::cast(traced_expr(call.graph, call.get(1, {"clip_norm"})), x.dtype());
  return traced(ops::div(ops::mul(x, limit), ops::binary(Binary::kMaximum, norm, limit)));
}

}  // namespace

Expr reversed_axis(Expr x, int axis) {
  Graph& graph = *x.graph;
  const Expr last = ops::sub(ops::dim_size(graph, x.dim(axis)), ops::int_constant(graph, 1));
  return gather_along(x, axis, ops::sub(last, ops::range(graph, x.dim(axis))));
}

Expr dynamic_slice(Expr x, int axis, const Value& start, const Value& stop, const Value& step) {
  const Dim dim = x.dim(axis);
  const int64_t begin = start.is_none() ? 0 : start.as_int();
  const int64_t every = step.is_none() ? 1 : step.as_int();
  if (every == -1 && start.is_none() && stop.is_none()) {
    return reversed_axis(x, axis);
  }
  const bool first = !stop.is_none() && begin == 0 && stop.as_int() == 1;  // there is at least one frame
  if (dim.is_batch() || every != 1 || begin < 0 || (!stop.is_none() && stop.as_int() >= 0 && !first)) {
    throw start
        .error(
            "of an axis whose size comes with the batch, traced code may take x[a:], x[a:-b], x[:1] and "
            "x[::-1]")
        .hint("use a 'slice' layer");
  }
  if (first) {
    return ops::slice(x, axis, 0, 1, 1, Dim::fixed(1, Dim::Kind::kSpatial));
  }
  const int64_t cut = stop.is_none() ? 0 : -stop.as_int();
  const int64_t end = stop.is_none() ? std::numeric_limits<int32_t>::max() : stop.as_int();
  return ops::slice(x, axis, begin, end, 1, dim - (begin + cut));
}

Dim with_frames_back(const Dim& dim, int64_t frames) {
  const bool cut = dim.op() == Dim::Op::kSub && dim.operands().size() == 2 && dim.operands()[1].is_static();
  return cut && dim.operands()[1].size() == frames ? dim.operands()[0] : dim + frames;
}

TracedFunctions order_functions() {
  return {{"reverse", reverse},          {"roll", roll}, {"sort", sort}, {"unstack", unstack},
          {"broadcast_to", broadcast},   {"fill", fill}, {"eye", eye},   {"linspace", linspace},
          {"clip_by_norm", clip_by_norm}};
}

}  // namespace wende
