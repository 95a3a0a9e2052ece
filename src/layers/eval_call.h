#pragma once

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "layers/eval_trace.h"

namespace wende {

/// Arguments of one call: positional, or by one of the names that TF 1 and 2 use.
class Call {
 public:
  Call(Graph& graph, const std::vector<Value>& args, const KeywordArgs& kwargs)
      : graph(graph), args_(args), kwargs_(kwargs) {}

  const Value* find(size_t position, std::initializer_list<const char*> names) const {
    for (const char* name : names) {
      const auto it =
          std::find_if(kwargs_.begin(), kwargs_.end(), [&](const auto& entry) { return entry.first == name; });
      if (it != kwargs_.end()) {
        return &it->second;
      }
    }
    return position < args_.size() ? &args_[position] : nullptr;
  }
  const Value& get(size_t position, std::initializer_list<const char*> names) const {
    if (const Value* value = find(position, names)) {
      return *value;
    }
    throw Error(ExitStatus::kConfig, fmt::format("argument '{}' is missing", *names.begin()));
  }
  Expr tensor(size_t position = 0) const {
    return traced_expr(graph,
                       get(position, {"x", "input", "input_tensor", "tensor", "logits", "features", "a", "values"}));
  }
  int axis(size_t position, int rank, int fallback) const {
    const Value* value = find(position, {"axis", "dim"});
    const int64_t axis = value == nullptr || value->is_none() ? fallback : value->as_int();
    return static_cast<int>(axis < 0 ? axis + rank : axis);
  }
  bool flag(size_t position, std::initializer_list<const char*> names) const {
    const Value* value = find(position, names);
    return value != nullptr && !value->is_none() && value->as_bool();
  }

  Graph& graph;

 private:
  const std::vector<Value>& args_;
  const KeywordArgs& kwargs_;
};

using TracedFunction = std::function<Value(const Call&)>;
using TracedFunctions = std::map<std::string, TracedFunction>;

DType dtype_of_value(const Value& value);
/// An int, or an opaque size that only the batch knows.
Value dim_value(const Dim& dim);
Dim dim_of_value(const Value& value);
std::vector<Dim> dims_of_value(const Value& value);
/// x with axes of size 1 in front until it has this rank (scalars stay as they are).
Expr with_rank(Expr x, int rank);
/// Values brought to one rank and dtype; numbers take the dtype of the tensors among them.
std::vector<Expr> common_operands(Graph& graph, const std::vector<Value>& values);

/// tf.cond, tf.while_loop, network.cond_on_train, assertions, printing.
TracedFunctions control_functions();
/// One axis or a list of them; negative ones count from the end.
std::vector<int> axes_in(const Value& axes, int rank);
/// The axes of a reduction: all of the argument's without the option "axis".
std::vector<int> reduced_axes(const Call& call, size_t position);
/// tf.reduce_std, tf.nn.l2_normalize, tf.cumsum, cross entropies, ...
TracedFunctions statistics_functions();
/// tf.einsum, tf.tensordot, tf.add_n.
TracedFunctions product_functions();
/// x along an axis from its end to its start.
Expr reversed_axis(Expr x, int axis);
/// x[start:stop:step] along an axis whose size comes with the batch; throws kConfig for what depends on that size.
Expr dynamic_slice(Expr x, int axis, const Value& start, const Value& stop, const Value& step);
/// dim + frames; the axis itself where just as many were cut off from it (x[:-1] after a frame in front).
Dim with_frames_back(const Dim& dim, int64_t frames);
/// tf.reverse, tf.roll, tf.sort, tf.unstack, tf.fill, ...
TracedFunctions order_functions();
/// tf.random.*, tf.nn.top_k, tf.stack, tf.tile, tf.range, tf.reshape, tf.gather, ...
TracedFunctions array_functions();

}  // namespace wende
