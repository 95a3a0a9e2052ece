#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "layers/composed_functions.h"
#include "layers/eval_call.h"
#include "ops/complex.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {
namespace {

using ops::Binary;
using ops::Unary;

class NativeFunction : public Callable {
 public:
  using Function = std::function<Value(const std::vector<Value>&, const KeywordArgs&)>;
  NativeFunction(std::string name, Function function) : name_(std::move(name)), function_(std::move(function)) {}
  Value call(const std::vector<Value>& args, const KeywordArgs& kwargs) const override {
    return function_(args, kwargs);
  }
  std::string name() const override { return name_; }

 private:
  std::string name_;
  Function function_;
};

const std::map<std::string, Unary>& unary_table() {
  static const std::map<std::string, Unary> table{{"neg", Unary::kNeg},
                                                  {"negative", Unary::kNeg},
                                                  {"abs", Unary::kAbs},
                                                  {"sign", Unary::kSign},
                                                  {"square", Unary::kSquare},
                                                  {"sqrt", Unary::kSqrt},
                                                  {"rsqrt", Unary::kRsqrt},
                                                  {"reciprocal", Unary::kReciprocal},
                                                  {"exp", Unary::kExp},
                                                  {"log", Unary::kLog},
                                                  {"log1p", Unary::kLog1p},
                                                  {"expm1", Unary::kExpm1},
                                                  {"sin", Unary::kSin},
                                                  {"cos", Unary::kCos},
                                                  {"tanh", Unary::kTanh},
                                                  {"sigmoid", Unary::kSigmoid},
                                                  {"relu", Unary::kRelu},
                                                  {"relu6", Unary::kRelu6},
                                                  {"leaky_relu", Unary::kLeakyRelu},
                                                  {"elu", Unary::kElu},
                                                  {"selu", Unary::kSelu},
                                                  {"softplus", Unary::kSoftplus},
                                                  {"softsign", Unary::kSoftsign},
                                                  {"gelu", Unary::kGelu},
                                                  {"gelu3", Unary::kGelu},
                                                  {"swish", Unary::kSwish},
                                                  {"silu", Unary::kSwish},
                                                  {"log_sigmoid", Unary::kLogSigmoid},
                                                  {"safe_log", Unary::kSafeLog},
                                                  {"erf", Unary::kErf},
                                                  {"erfc", Unary::kErfc},
                                                  {"erfinv", Unary::kErfinv},
                                                  {"asin", Unary::kAsin},
                                                  {"acos", Unary::kAcos},
                                                  {"atan", Unary::kAtan},
                                                  {"lgamma", Unary::kLgamma},
                                                  {"digamma", Unary::kDigamma},
                                                  {"bessel_i0e", Unary::kBesselI0e},
                                                  {"bessel_i1e", Unary::kBesselI1e},
                                                  {"floor", Unary::kFloor},
                                                  {"ceil", Unary::kCeil},
                                                  {"round", Unary::kRound},
                                                  {"rint", Unary::kRound},
                                                  {"logical_not", Unary::kLogicalNot},
                                                  {"invert", Unary::kLogicalNot},
                                                  {"is_finite", Unary::kIsFinite}};
  return table;
}

const std::map<std::string, Binary>& binary_table() {
  static const std::map<std::string, Binary> table{{"add", Binary::kAdd},
                                                   {"sub", Binary::kSub},
                                                   {"subtract", Binary::kSub},
                                                   {"mul", Binary::kMul},
                                                   {"multiply", Binary::kMul},
                                                   {"div", Binary::kDiv},
                                                   {"truediv", Binary::kDiv},
                                                   {"divide", Binary::kDiv},
                                                   {"realdiv", Binary::kDiv},
                                                   {"true_divide", Binary::kDiv},
                                                   {"floordiv", Binary::kFloorDiv},
                                                   {"floor_div", Binary::kFloorDiv},
                                                   {"remainder", Binary::kMod},
                                                   {"mod", Binary::kMod},
                                                   {"floormod", Binary::kMod},
                                                   {"pow", Binary::kPow},
                                                   {"power", Binary::kPow},
                                                   {"maximum", Binary::kMaximum},
                                                   {"minimum", Binary::kMinimum},
                                                   {"squared_difference", Binary::kSquaredDifference},
                                                   {"atan2", Binary::kAtan2},
                                                   {"arctan2", Binary::kAtan2},
                                                   {"zeta", Binary::kZeta},
                                                   {"eq", Binary::kEqual},
                                                   {"equal", Binary::kEqual},
                                                   {"ne", Binary::kNotEqual},
                                                   {"not_equal", Binary::kNotEqual},
                                                   {"lt", Binary::kLess},
                                                   {"less", Binary::kLess},
                                                   {"le", Binary::kLessEqual},
                                                   {"less_equal", Binary::kLessEqual},
                                                   {"gt", Binary::kGreater},
                                                   {"greater", Binary::kGreater},
                                                   {"ge", Binary::kGreaterEqual},
                                                   {"greater_equal", Binary::kGreaterEqual},
                                                   {"logical_and", Binary::kLogicalAnd},
                                                   {"and", Binary::kLogicalAnd},
                                                   {"logical_or", Binary::kLogicalOr},
                                                   {"or", Binary::kLogicalOr},
                                                   {"logical_xor", Binary::kNotEqual}};
  return table;
}

bool is_float(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kFloat64 || dtype == DType::kComplex64;
}

}  // namespace

Expr with_rank(Expr x, int rank) {
  while (x.rank() > 0 && x.rank() < rank) {
    x = ops::expand_dims(x, 0);
  }
  return x;
}

Value traced(Expr expr) { return Value::opaque(std::make_shared<TracedTensor>(expr)); }

bool is_traced(const Value& value) {
  return value.kind() == Value::Kind::kOpaque && dynamic_cast<const TracedTensor*>(value.as_opaque().get()) != nullptr;
}

namespace {

/// Nested lists: of numbers a constant, else a tensor of the tensors in them.
Expr array_of_numbers(Graph& graph, const Value& value, const Expr& like) {
  std::vector<Expr> parts;
  bool any_float = false;
  for (const Value& item : value.items()) {
    parts.push_back(ops::expand_dims(traced_expr(graph, item, like), 0));
    any_float = any_float || is_float(parts.back().dtype());
  }
  for (Expr& part : parts) {
    part = any_float && !is_float(part.dtype()) ? ops::cast(part, DType::kFloat32) : part;
  }
  return ops::concat(parts, 0, Dim::fixed(static_cast<int64_t>(parts.size()), Dim::Kind::kSpatial));
}

}  // namespace

Expr traced_expr(Graph& graph, const Value& value, const Expr& like) {
  if (value.kind() == Value::Kind::kOpaque) {
    if (const auto* tensor = dynamic_cast<const TracedTensor*>(value.as_opaque().get())) {
      return tensor->expr;
    }
    if (const auto* dim = dynamic_cast<const TracedDim*>(value.as_opaque().get())) {
      return ops::dim_size(graph, dim->dim);
    }
  }
  if (value.kind() == Value::Kind::kBool) {
    return ops::constant(graph, value.as_bool() ? 1 : 0, DType::kBool);
  }
  if (value.kind() == Value::Kind::kInt) {
    const bool as_like = like.defined() && like.dtype() != DType::kBool;
    return ops::constant(graph, static_cast<double>(value.as_int()), as_like ? like.dtype() : DType::kInt32);
  }
  if (value.kind() == Value::Kind::kFloat) {
    const bool as_like = like.defined() && is_float(like.dtype());
    return ops::constant(graph, value.as_float(), as_like ? like.dtype() : DType::kFloat32);
  }
  if (value.is_sequence() && !value.items().empty()) {
    return array_of_numbers(graph, value, like);
  }
  throw value.error("expected a tensor or a number, got " + value.repr());
}

Value native_function(std::string name, std::function<Value(const std::vector<Value>&, const KeywordArgs&)> function) {
  return Value::callable(std::make_shared<NativeFunction>(std::move(name), std::move(function)));
}

namespace {

TraceLayer*& current_layer() {
  static TraceLayer* layer = nullptr;
  return layer;
}

}  // namespace

TraceLayer* GraphTrace::layer() { return current_layer(); }
GraphTrace::~GraphTrace() { current_layer() = previous_; }

GraphTrace::GraphTrace(Graph& graph, TraceLayer* layer)
    : guard_([&graph](const std::string& op, const std::vector<Value>& args, const KeywordArgs& kwargs) {
        return apply_traced(graph, op, args, kwargs);
      }),
      previous_(std::exchange(current_layer(), layer)) {}

Expr traced_unary(const std::string& name, Expr x) {
  const auto it = unary_table().find(name);
  return it == unary_table().end() ? composed_unary(name, x) : ops::unary(it->second, x);
}

const std::vector<std::string>& traced_unary_names() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const auto& [name, kind] : unary_table()) {
      list.push_back(name);
    }
    const std::vector<std::string> composed = composed_unary_names();
    list.insert(list.end(), composed.begin(), composed.end());
    std::sort(list.begin(), list.end());
    return list;
  }();
  return names;
}

bool is_traced_binary(const std::string& name) { return binary_table().count(name) > 0 || is_composed_binary(name); }

namespace {

/// Two axes whose sizes come with the batch are one where TensorFlow code combines them, by whatever name (the frames
/// of the data and those of its labels): a difference is found when sizes are known.
Expr with_axes_of(Expr x, const Expr& other) {
  std::vector<Dim> dims = x.dims();
  bool renamed = false;
  for (size_t i = 0; i < dims.size() && x.rank() == other.rank(); ++i) {
    const Dim& theirs = other.dims()[i];
    const bool differ = dims[i].is_dynamic() && theirs.is_dynamic() && !dims[i].same_size(theirs);
    renamed = renamed || differ;
    dims[i] = differ ? theirs : dims[i];
  }
  return renamed ? ops::reshape(x, dims) : x;
}

}  // namespace

Expr traced_binary(const std::string& name, Expr a, Expr b) {
  const auto it = binary_table().find(name);
  const bool composed = it == binary_table().end();
  if (!composed && it->second == Binary::kDiv && !is_float(a.dtype()) && !is_float(b.dtype())) {
    a = ops::cast(a, DType::kFloat32);
  }
  if (a.dtype() != b.dtype()) {
    const bool any_complex = ops::is_complex(a) || ops::is_complex(b);
    const DType dtype = any_complex           ? DType::kComplex64
                        : is_float(a.dtype()) ? a.dtype()
                        : is_float(b.dtype()) ? b.dtype()
                                              : DType::kInt32;
    a = ops::cast(a, dtype);
    b = ops::cast(b, dtype);
  }
  const int rank = std::max(a.rank(), b.rank());
  a = with_rank(a, rank);
  b = with_axes_of(with_rank(b, rank), a);
  return composed ? composed_binary(name, a, b) : ops::binary(it->second, a, b);
}

}  // namespace wende
