#include "layers/axis_order.h"
#include "layers/eval_call.h"
#include "ops/argsort.h"
#include "ops/dropout.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {

DType dtype_of_value(const Value& value) {
  if (value.is_string()) {
    return dtype_from_name(value.as_string());
  }
  throw value.error("expected a dtype, got " + value.repr());
}

Value dim_value(const Dim& dim) {
  if (dim.is_static() && !dim.is_batch()) {
    return Value::of(dim.size());
  }
  return Value::opaque(std::make_shared<TracedDim>(dim));
}

Dim dim_of_value(const Value& value) {
  if (value.kind() == Value::Kind::kInt) {
    return Dim::fixed(value.as_int(), Dim::Kind::kSpatial);
  }
  if (value.kind() == Value::Kind::kOpaque) {
    if (const auto* dim = dynamic_cast<const TracedDim*>(value.as_opaque().get())) {
      return dim->dim;
    }
  }
  throw value.error("expected a size: an int or an entry of tf.shape(x), got " + value.repr());
}

std::vector<Dim> dims_of_value(const Value& value) {
  std::vector<Dim> dims;
  for (const Value& item : value.items()) {
    dims.push_back(dim_of_value(item));
  }
  return dims;
}

std::vector<Expr> common_operands(Graph& graph, const std::vector<Value>& values) {
  Expr like;
  int rank = 0;
  for (const Value& value : values) {
    if (is_traced(value)) {
      const Expr x = traced_expr(graph, value);
      rank = std::max(rank, x.rank());
      like = like.defined() && like.dtype() != DType::kInt32 ? like : x;
    }
  }
  const bool any_float =
      std::any_of(values.begin(), values.end(), [](const Value& v) { return v.kind() == Value::Kind::kFloat; });
  std::vector<Expr> result;
  for (const Value& value : values) {
    Expr x = with_rank(traced_expr(graph, value, like), rank);
    if (like.defined() && like.dtype() != DType::kBool) {
      x = ops::cast(x, any_float && like.dtype() == DType::kInt32 ? DType::kFloat32 : like.dtype());
    } else if (any_float) {
      x = ops::cast(x, DType::kFloat32);
    }
    result.push_back(x);
  }
  return result;
}

namespace {

uint32_t random_key() {
  TraceLayer* layer = GraphTrace::layer();
  if (layer == nullptr || !layer->random_key) {
    throw Error(ExitStatus::kConfig,
                "random functions are supported in eval strings and functions of eval layers only");
  }
  return layer->random_key(fmt::format("random:{}", layer->random_count++));
}

/// tf.random.uniform: floats in [minval, maxval), or ints; bounds may be tensors.
Value random_uniform(const Call& call) {
  const std::vector<Dim> dims = dims_of_value(call.get(0, {"shape"}));
  const Value* dtype = call.find(3, {"dtype"});
  const DType wanted = dtype == nullptr || dtype->is_none() ? DType::kFloat32 : dtype_of_value(*dtype);
  const auto bound = [&](size_t position, const char* name, double fallback) {
    const Value* value = call.find(position, {name});
    const Expr x =
        value == nullptr || value->is_none() ? ops::constant(call.graph, fallback) : traced_expr(call.graph, *value);
    return with_rank(ops::cast(x, DType::kFloat32), static_cast<int>(dims.size()));
  };
  const Expr low = bound(1, "minval", 0.0);
  const Expr high = bound(2, "maxval", 1.0);
  const Expr uniform = ops::random_uniform(call.graph, dims, 0.0, 1.0, random_key());
  Expr x = ops::mul(uniform, ops::sub(high, low));
  if (wanted == DType::kFloat32) {
    return traced(ops::add(x, low));
  }
  x = ops::add(ops::unary(ops::Unary::kFloor, x), low);
  return traced(ops::cast(x, wanted));
}

Value random_normal(const Call& call) {
  const std::vector<Dim> dims = dims_of_value(call.get(0, {"shape"}));
  const auto number = [&](size_t position, const char* name, double fallback) {
    const Value* value = call.find(position, {name});
    return value == nullptr || value->is_none() ? fallback : value->as_float();
  };
  const Expr x = ops::random_normal(call.graph, dims, number(2, "stddev", 1.0), random_key());
  return traced(ops::add_scalar(x, number(1, "mean", 0.0)));
}

/// tf.nn.dropout(x, rate), or TensorFlow 1's keep_prob: elements are 0 or divided by what is kept on average.
Value dropout(const Call& call) {
  const Expr x = call.tensor();
  const Value* keep_prob = call.find(99, {"keep_prob"});
  const double keep = keep_prob != nullptr ? keep_prob->as_float() : 1.0 - call.get(1, {"rate"}).as_float();
  std::vector<Dim> dims = x.dims();
  if (const Value* shape = call.find(2, {"noise_shape"}); shape != nullptr && !shape->is_none()) {
    for (size_t i = 0; i < dims.size(); ++i) {
      dims[i] = shape->items().at(i).is_none() ? dims[i] : dim_of_value(shape->items()[i]);
    }
  }
  return traced(ops::mul(x, ops::dropout_mask(call.graph, dims, keep, random_key())));
}

/// Values and indices, largest first. A k that only the batch knows gives all of them, in order: what is read of the
/// first k is the same.
Value top_k(const Call& call) {
  const Expr x = call.tensor();
  Expr indices = ops::argsort_descending(x);
  Expr values = x.graph->output_of(indices, 1);
  const Value* k = call.find(1, {"k"});
  if (k == nullptr || k->kind() == Value::Kind::kInt) {
    const int64_t count = k == nullptr ? 1 : k->as_int();
    const Dim dim = Dim::fixed(count, Dim::Kind::kSpatial);
    const int last = x.rank() - 1;
    if (x.dim(last).is_static() && x.dim(last).size() < count) {
      throw k->error(fmt::format("top_k: k = {} of {}", count, x.dim(last).str()));
    }
    indices = ops::slice(indices, last, 0, count, 1, dim);
    values = ops::slice(values, last, 0, count, 1, dim);
  }
  return Value::list({traced(values), traced(indices)}, Value::Kind::kTuple);
}

Value argsort(const Call& call) {
  Expr x = call.tensor();
  if (call.axis(1, x.rank(), -1) != x.rank() - 1) {
    throw Error(ExitStatus::kConfig, "tf.argsort is supported along the last axis only");
  }
  const Value* direction = call.find(2, {"direction"});
  const bool descending = direction != nullptr && direction->is_string() && direction->as_string() == "DESCENDING";
  x = ops::cast(x, DType::kFloat32);
  return traced(ops::argsort_descending(descending ? x : ops::unary(ops::Unary::kNeg, x)));
}

/// tf.where. TensorFlow 1's form, too: a condition [B] chooses among rows [B, ...].
Value where(const Call& call) {
  Expr condition = traced_expr(call.graph, call.get(0, {"condition"}));
  const std::vector<Expr> parts = common_operands(call.graph, {call.get(1, {"x"}), call.get(2, {"y"})});
  const int rank = std::max(parts[0].rank(), parts[1].rank());
  const Expr& shaped = parts[0].rank() == rank ? parts[0] : parts[1];
  if (condition.rank() == 1 && rank > 1 && condition.dim(0).same_size(shaped.dim(0)) &&
      !condition.dim(0).same_size(shaped.dim(-1))) {
    while (condition.rank() < rank) {
      condition = ops::expand_dims(condition, condition.rank());
    }
  }
  const int common = std::max(rank, condition.rank());
  return traced(ops::where(with_rank(condition, common), with_rank(parts[0], common), with_rank(parts[1], common)));
}

std::vector<Expr> parts_of(const Call& call) { return common_operands(call.graph, call.get(0, {"values"}).items()); }

Value concat(const Call& call) {
  const std::vector<Expr> parts = parts_of(call);
  const int axis = call.axis(1, parts.at(0).rank(), -1);
  Dim dim = parts[0].dim(axis);
  for (size_t i = 1; i < parts.size(); ++i) {
    const Dim next = parts[i].dim(axis);
    const auto fixed = [](const Dim& d) { return d.is_static() && !d.is_batch(); };
    dim = fixed(next) && !fixed(dim)   ? with_frames_back(dim, next.size())
          : fixed(dim) && !fixed(next) ? with_frames_back(next, dim.size())
                                       : Dim::derived(Dim::Op::kAdd, {dim, next}, dim.kind());
  }
  return traced(ops::concat(parts, axis, dim));
}

Value stack(const Call& call) {
  std::vector<Expr> parts = parts_of(call);
  const int axis = call.axis(1, parts.at(0).rank() + 1, 0);
  for (Expr& part : parts) {
    part = ops::expand_dims(part, axis);
  }
  return traced(ops::concat(parts, axis, Dim::fixed(static_cast<int64_t>(parts.size()), Dim::Kind::kSpatial)));
}

/// Axes of size 1 are broadcast, others are repeated as often as a number says.
Value tile(const Call& call) {
  Expr x = call.tensor();
  const std::vector<Value>& counts = call.get(1, {"multiples"}).items();
  if (static_cast<int>(counts.size()) != x.rank()) {
    throw Error(ExitStatus::kConfig, fmt::format("tf.tile: {} multiples for {}", counts.size(), x.type().str()));
  }
  for (int axis = 0; axis < x.rank(); ++axis) {
    const Dim count = dim_of_value(counts[static_cast<size_t>(axis)]);
    const bool one = x.dim(axis).is_static() && !x.dim(axis).is_batch() && x.dim(axis).size() == 1;
    if (one) {
      std::vector<Dim> dims = x.dims();
      dims[static_cast<size_t>(axis)] = count;
      x = ops::broadcast_to(x, dims);
    } else if (count.is_batch() || count.is_dynamic()) {
      throw counts[static_cast<size_t>(axis)].error("tf.tile: only axes of size 1 are repeated by a size of the batch");
    } else if (count.size() != 1) {
      const std::vector<Expr> copies(static_cast<size_t>(count.size()), x);
      x = ops::concat(copies, axis, Dim::derived(Dim::Op::kMul, {x.dim(axis), count}, x.dim(axis).kind()));
    }
  }
  return traced(x);
}

/// tf.range(limit) or tf.range(start, limit), in steps of 1.
Value range(const Call& call) {
  const Value* second = call.find(1, {"limit"});
  if (second == nullptr) {
    return traced(ops::range(call.graph, dim_of_value(call.get(0, {"start", "limit"}))));
  }
  if (const Value* delta = call.find(2, {"delta"}); delta != nullptr && delta->as_int() != 1) {
    throw delta->error("tf.range is supported with delta 1");
  }
  const Value& start = call.get(0, {"start"});
  if (start.as_int() == 0) {
    return traced(ops::range(call.graph, dim_of_value(*second)));
  }
  const Dim limit = dim_of_value(*second);
  const Dim count = Dim::derived(Dim::Op::kSub, {limit, Dim::fixed(start.as_int(), Dim::Kind::kSpatial)});
  const Expr from = ops::int_constant(call.graph, start.as_int());
  return traced(ops::add(ops::range(call.graph, count), from));
}

/// The size that -1 stands for: what the other sizes leave over of x.
Dim left_over(const Expr& x, const std::vector<Dim>& others) {
  std::vector<Dim> rest = x.dims();
  for (const Dim& other : others) {
    const auto same = std::find_if(rest.begin(), rest.end(), [&](const Dim& dim) { return dim.same_size(other); });
    if (same != rest.end()) {
      rest.erase(same);
    } else if (!(other.is_static() && !other.is_batch() && other.size() == 1)) {
      throw Error(ExitStatus::kConfig, "tf.reshape: -1 is not determined for " + x.type().str());
    }
  }
  return rest.empty()       ? Dim::fixed(1, Dim::Kind::kSpatial)
         : rest.size() == 1 ? rest.front()
                            : Dim::derived(Dim::Op::kMul, rest, rest.back().kind());
}

Value reshape(const Call& call) {
  const Expr x = call.tensor();
  std::vector<Dim> dims;
  std::vector<Dim> known;
  int open = -1;
  for (const Value& size : call.get(1, {"shape"}).items()) {
    if (size.kind() == Value::Kind::kInt && size.as_int() == -1) {
      open = static_cast<int>(dims.size());
      dims.emplace_back();
      continue;
    }
    dims.push_back(dim_of_value(size));
    known.push_back(dims.back());
  }
  if (open >= 0) {
    dims[static_cast<size_t>(open)] = left_over(x, known);
  }
  return traced(ops::reshape(x, dims));
}

Value gather(const Call& call) {
  const Expr x = call.tensor();
  const Expr indices = ops::cast(traced_expr(call.graph, call.get(1, {"indices"})), DType::kInt32);
  const int axis = call.axis(3, x.rank(), 0);
  return traced(gather_along(x, axis, indices));
}

/// tf.sequence_mask(lengths, maxlen): lengths [B] give [B, maxlen].
Value sequence_mask(const Call& call, bool time_major) {
  const Expr lengths = ops::cast(traced_expr(call.graph, call.get(0, {"lengths"})), DType::kInt32);
  const Value& maxlen = call.get(1, {"maxlen"});
  Expr at = ops::range(call.graph, dim_of_value(maxlen));
  at = ops::expand_dims(at, time_major ? 1 : 0);
  const Expr limit = ops::expand_dims(lengths, time_major ? 0 : 1);
  return traced(ops::binary(ops::Binary::kLess, at, limit));
}

Value pad(const Call& call) {
  Expr x = call.tensor();
  const std::vector<Value>& paddings = call.get(1, {"paddings"}).items();
  const Value* constant = call.find(3, {"constant_values"});
  if (const Value* mode = call.find(2, {"mode"});
      mode != nullptr && mode->is_string() && mode->as_string() != "CONSTANT") {
    throw mode->error("tf.pad is supported with mode CONSTANT");
  }
  for (size_t axis = 0; axis < paddings.size(); ++axis) {
    const int64_t left = paddings[axis].items().at(0).as_int();
    const int64_t right = paddings[axis].items().at(1).as_int();
    if (left + right > 0) {
      const Dim dim = x.dim(static_cast<int>(axis));
      x = ops::pad(x, static_cast<int>(axis), left, right, constant == nullptr ? 0.0 : constant->as_float(),
                   with_frames_back(dim, left + right));
    }
  }
  return traced(x);
}

Value split(const Call& call) {
  const Expr x = traced_expr(call.graph, call.get(0, {"value"}));
  const Value& sizes = call.get(1, {"num_or_size_splits"});
  const int axis = call.axis(2, x.rank(), 0);
  std::vector<int64_t> parts;
  if (sizes.is_sequence()) {
    for (const Value& size : sizes.items()) {
      parts.push_back(size.as_int());
    }
  } else {
    const int64_t count = sizes.as_int();
    parts.assign(static_cast<size_t>(count), x.dim(axis).size() / count);
  }
  std::vector<Value> result;
  int64_t begin = 0;
  for (const int64_t size : parts) {
    result.push_back(traced(ops::slice(x, axis, begin, begin + size, 1, Dim::fixed(size, x.dim(axis).kind()))));
    begin += size;
  }
  return Value::list(std::move(result));
}

}  // namespace

TracedFunctions array_functions() {
  return {{"uniform", random_uniform},
          {"random_uniform", random_uniform},
          {"normal", random_normal},
          {"random_normal", random_normal},
          {"dropout", dropout},
          {"top_k", top_k},
          {"argsort", argsort},
          {"where", where},
          {"where_v2", where},
          {"where_bc", where},
          {"concat", concat},
          {"stack", stack},
          {"tile", tile},
          {"range", range},
          {"reshape", reshape},
          {"gather", gather},
          {"sequence_mask", [](const Call& call) { return sequence_mask(call, false); }},
          {"sequence_mask_time_major", [](const Call& call) { return sequence_mask(call, true); }},
          {"pad", pad},
          {"split", split}};
}

}  // namespace wende
