#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <limits>
#include <map>

#include "config/args.h"
#include "layers/eval_call.h"
#include "ops/complex.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

Value reduce(ops::Reduction kind, const Call& call) {
  return traced(ops::reduce(kind, call.tensor(), reduced_axes(call, 1), call.flag(2, {"keepdims", "keep_dims"})));
}

/// x[..., index, ...] for an int scalar of the graph, without that axis.
Expr picked(Expr x, int axis, Expr index) {
  if (index.rank() != 0 || index.dtype() != DType::kInt32) {
    throw Error(ExitStatus::kConfig,
                "an index must be an int scalar, got " + index.type().str() + "; use tf.gather for more than one");
  }
  Expr at = ops::range(*x.graph, x.dim(axis));
  for (int i = axis + 1; i < x.rank(); ++i) {
    at = ops::expand_dims(at, at.rank());
  }
  const Expr hit = ops::binary(ops::Binary::kEqual, with_rank(at, x.rank()), index);
  return ops::reduce(ops::Reduction::kSum, ops::where(hit, x, ops::zeros_like(x)), {axis});
}

/// x[index] with ints, slices (as ("slice", start, stop, step) tuples), None and Ellipsis left out.
Value getitem(const Call& call) {
  const Value& object = call.get(0, {"x"});
  const Value& index = call.get(1, {"index"});
  if (object.is_sequence()) {  // a Python list of sizes
    const int64_t size = static_cast<int64_t>(object.items().size());
    const int64_t i = index.as_int();
    return object.items().at(static_cast<size_t>(i < 0 ? i + size : i));
  }
  Expr x = call.tensor();
  std::vector<Value> parts{index};
  const auto is_slice = [](const Value& v) {
    return v.is_sequence() && v.items().size() == 4 && v.items()[0].is_string() && v.items()[0].as_string() == "slice";
  };
  if (index.is_sequence() && !is_slice(index)) {
    parts = index.items();
  }
  int axis = 0;
  for (const Value& part : parts) {
    if (part.is_none()) {
      x = ops::expand_dims(x, axis++);
    } else if (part.is_string() && part.as_string() == "...") {
      axis = x.rank() - static_cast<int>(parts.size()) + 1 + axis;
    } else if (part.kind() == Value::Kind::kInt) {
      const int64_t i = part.as_int();
      const int64_t end = i == -1 ? std::numeric_limits<int32_t>::max() : i + 1;
      x = ops::squeeze(ops::slice(x, axis, i, end, 1, Dim::fixed(1, Dim::Kind::kSpatial)), axis);
    } else if (is_slice(part)) {
      const auto& s = part.items();
      const Dim& dim = x.dim(axis);
      if (s[1].is_none() && s[2].is_none() && s[3].is_none()) {
        ++axis;
        continue;
      }
      if (dim.is_dynamic() || dim.is_batch()) {
        x = dynamic_slice(x, axis++, s[1], s[2], s[3]);
        continue;
      }
      const auto bound = [&](const Value& v, int64_t fallback) {
        const int64_t i = v.is_none() ? fallback : v.as_int();
        return std::clamp<int64_t>(i < 0 ? i + dim.size() : i, 0, dim.size());
      };
      const int64_t step = s[3].is_none() ? 1 : s[3].as_int();
      const int64_t begin = bound(s[1], 0);
      const int64_t end = std::max(bound(s[2], dim.size()), begin);
      x = ops::slice(x, axis, begin, end, step, Dim::fixed((end - begin + step - 1) / step, Dim::Kind::kFeature));
      ++axis;
    } else if (is_traced(part)) {
      x = picked(x, axis, traced_expr(call.graph, part));
    } else {
      throw part.error("index not supported in traced code: " + part.repr());
    }
  }
  return traced(x);
}

Value transpose(const Call& call) {
  const Expr x = call.tensor();
  std::vector<int> order;
  if (const Value* perm = call.find(1, {"perm"}); perm != nullptr && !perm->is_none()) {
    for (const Value& axis : perm->items()) {
      order.push_back(static_cast<int>(axis.as_int()));
    }
  } else {
    for (int i = x.rank() - 1; i >= 0; --i) {
      order.push_back(i);
    }
  }
  return traced(ops::permute(x, order));
}

Value shape(const Call& call) {
  std::vector<Value> sizes;
  for (const Dim& dim : call.tensor().dims()) {
    sizes.push_back(dim_value(dim));
  }
  return Value::list(std::move(sizes));
}

/// Sizes as Python may know them now: None for what comes with the batch.
Value static_shape(const Call& call) {
  std::vector<Value> sizes;
  for (const Dim& dim : call.tensor().dims()) {
    sizes.push_back(dim.is_static() && !dim.is_batch() ? Value::of(dim.size()) : Value());
  }
  return Value::list(std::move(sizes), Value::Kind::kTuple);
}

Value clip(const Call& call) {
  const Expr x = call.tensor();
  const Expr low = traced_expr(call.graph, call.get(1, {"clip_value_min"}), x);
  const Expr high = traced_expr(call.graph, call.get(2, {"clip_value_max"}), x);
  return traced(traced_binary("minimum", traced_binary("maximum", x, low), high));
}

Value filled(const Call& call, double value) {
  const Value* dtype = call.find(1, {"dtype"});
  return traced(ops::constant(call.graph, value, dtype == nullptr ? DType::kFloat32 : dtype_of_value(*dtype),
                              dims_of_value(call.get(0, {"shape"}))));
}

Value filled_like(const Call& call, double value) {
  const Expr x = call.tensor();
  return traced(ops::constant(call.graph, value, x.dtype(), x.dims()));
}

Value constant(const Call& call) {
  const Value& value = call.get(0, {"value"});
  const Value* dtype = call.find(1, {"dtype"});
  const Expr expr = traced_expr(call.graph, value);
  return traced(dtype == nullptr || dtype->is_none() ? expr : ops::cast(expr, dtype_of_value(*dtype)));
}

Value complex(const Call& call) {
  const std::vector<Expr> parts = common_operands(call.graph, {call.get(0, {"real"}), call.get(1, {"imag"})});
  return traced(ops::complex(parts[0], parts[1]));
}

TracedFunctions basic_functions() {
  using R = ops::Reduction;
  return {{"reduce_sum", [](const Call& c) { return reduce(R::kSum, c); }},
          {"reduce_mean", [](const Call& c) { return reduce(R::kMean, c); }},
          {"reduce_max", [](const Call& c) { return reduce(R::kMax, c); }},
          {"reduce_min", [](const Call& c) { return reduce(R::kMin, c); }},
          {"reduce_prod", [](const Call& c) { return reduce(R::kProd, c); }},
          {"reduce_any", [](const Call& c) { return reduce(R::kAny, c); }},
          {"reduce_all", [](const Call& c) { return reduce(R::kAll, c); }},
          {"reduce_logsumexp", [](const Call& c) { return reduce(R::kLogSumExp, c); }},
          {"getitem", getitem},
          {"transpose", transpose},
          {"shape", shape},
          {"static_shape", static_shape},
          {"clip_by_value", clip},
          {"zeros", [](const Call& c) { return filled(c, 0); }},
          {"ones", [](const Call& c) { return filled(c, 1); }},
          {"zeros_like", [](const Call& c) { return filled_like(c, 0); }},
          {"ones_like", [](const Call& c) { return filled_like(c, 1); }},
          {"constant", constant},
          {"convert_to_tensor", constant},
          {"complex", complex},
          {"identity", [](const Call& c) { return traced(c.tensor()); }},
          {"stop_gradient", [](const Call& c) { return traced(ops::stop_gradient(c.tensor())); }},
          {"cast", [](const Call& c) { return traced(ops::cast(c.tensor(), dtype_of_value(c.get(1, {"dtype"})))); }},
          {"to_float", [](const Call& c) { return traced(ops::cast(c.tensor(), DType::kFloat32)); }},
          {"to_int32", [](const Call& c) { return traced(ops::cast(c.tensor(), DType::kInt32)); }},
          {"dtype", [](const Call& c) { return Value::of(std::string(name_of(c.tensor().dtype()))); }},
          {"rank", [](const Call& c) { return Value::of(static_cast<int64_t>(c.tensor().rank())); }},
          {"softmax", [](const Call& c) { return traced(ops::softmax(c.tensor(), c.axis(1, c.tensor().rank(), -1))); }},
          {"log_softmax",
           [](const Call& c) { return traced(ops::log_softmax(c.tensor(), c.axis(1, c.tensor().rank(), -1))); }},
          {"argmax", [](const Call& c) { return traced(ops::argmax(c.tensor(), c.axis(1, c.tensor().rank(), 0))); }},
          {"argmin", [](const Call& c) { return traced(ops::argmin(c.tensor(), c.axis(1, c.tensor().rank(), 0))); }},
          {"expand_dims",
           [](const Call& c) { return traced(ops::expand_dims(c.tensor(), c.axis(1, c.tensor().rank() + 1, 0))); }},
          {"squeeze", [](const Call& c) { return traced(ops::squeeze(c.tensor(), c.axis(1, c.tensor().rank(), -1))); }},
          {"one_hot",
           [](const Call& c) { return traced(ops::one_hot(c.tensor(), Dim::fixed(c.get(1, {"depth"}).as_int()))); }},
          {"matmul", [](const Call& c) {
             return traced(ops::batch_matmul(c.tensor(), traced_expr(c.graph, c.get(1, {"b"})),
                                             c.flag(2, {"transpose_a"}), c.flag(3, {"transpose_b"})));
           }}};
}

const TracedFunctions& functions() {
  static const TracedFunctions table = [] {
    TracedFunctions all = basic_functions();
    all.merge(control_functions());
    all.merge(array_functions());
    all.merge(statistics_functions());
    all.merge(product_functions());
    all.merge(order_functions());
    return all;
  }();
  return table;
}

/// RETURNN's own gelu is another function than TensorFlow's. Else the last part of the name:
/// "math.log" -> "log", "nn.relu" -> "relu", "__radd__" -> "radd".
std::string short_name(const std::string& op) {
  if (op == "util.gelu") {
    return "gelu_tanh";
  }
  std::string name = op.substr(op.rfind('.') + 1);
  if (name.size() > 4 && name.rfind("__", 0) == 0) {
    name = name.substr(2, name.size() - 4);
  }
  return name;
}

/// What TensorFlow calls the operands.
std::pair<const char*, const char*> operand_names(const std::string& function) {
  if (function == "atan2") return {"y", "x"};
  if (function == "polygamma") return {"a", "x"};
  if (function == "zeta") return {"x", "q"};
  return {"x", "y"};
}

}  // namespace

bool is_traced_function(const std::string& name) { return functions().count(name) != 0; }

Value apply_traced(Graph& graph, const std::string& op, const std::vector<Value>& args, const KeywordArgs& kwargs) {
  std::string name = short_name(op);
  const Call call(graph, args, kwargs);
  const bool reversed =
      name.size() > 2 && name[0] == 'r' && !is_traced_binary(name) && is_traced_binary(name.substr(1));
  if (reversed) {
    name = name.substr(1);
  }
  if (is_traced_binary(name)) {
    const auto [first, second] = operand_names(name);
    const Value& left = call.get(reversed ? 1 : 0, {first, "a"});
    const Value& right = call.get(reversed ? 0 : 1, {second, "b"});
    const Expr like = traced_expr(graph, is_traced(left) ? left : right);
    return traced(traced_binary(name, traced_expr(graph, left, like), traced_expr(graph, right, like)));
  }
  const auto it = functions().find(name);
  if (it != functions().end()) {
    return it->second(call);
  }
  if (const auto& names = traced_unary_names(); std::find(names.begin(), names.end(), name) != names.end()) {
    return traced(traced_unary(name, call.tensor()));
  }
  if (op == "attr") {
    throw Error(ExitStatus::kConfig, "this attribute of a tensor is not supported in eval strings and functions");
  }
  throw Error(ExitStatus::kConfig, "tf." + op + " is not supported in eval strings and functions")
      .hint(did_you_mean(name, traced_unary_names()));
}

}  // namespace wende
