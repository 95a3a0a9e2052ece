#include "ops/reduce.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "graph/device_op.h"
#include "kernels/pointwise.h"
#include "ops/complex.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende::ops {
namespace {

constexpr std::array<std::string_view, 8> kNames = {"sum",  "mean", "reduce_max", "reduce_min",
                                                    "prod", "any",  "all",        "logsumexp"};

/// The product of the sizes of some dims in this step: float32 scalar.
class CountOp final : public DeviceOp {
 public:
  explicit CountOp(std::vector<Dim> dims) : dims_(std::move(dims)) {}

  std::string_view name() const override { return "count"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dims", dims_); }
  std::vector<ExprType> infer(const std::vector<ExprType>&) const override { return {{DType::kFloat32, {}}}; }
  void run(RunContext& context) const override {
    double product = 1;
    for (const Dim& dim : dims_) product *= static_cast<double>(context.binding().size(dim));
    WENDE_ON_DEVICE(context.device(), fill(context.output(0), product));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {}; }

 private:
  std::vector<Dim> dims_;
};

class ReduceOp final : public DeviceOp {
 public:
  ReduceOp(Reduction kind, std::vector<int> axes, bool keep) : kind_(kind), axes_(std::move(axes)), keep_(keep) {}

  std::string_view name() const override { return kNames[static_cast<size_t>(kind_)]; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axes", axes_);
    visitor.field("keep", keep_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    check_dtype(inputs);
    const int rank = static_cast<int>(inputs[0].dims.size());
    for (const int axis : axes_) {
      if (axis < 0 || axis >= rank) op_error(name(), fmt::format("there is no axis {}", axis), inputs);
    }
    ExprType type{inputs[0].dtype, {}};
    for (int i = 0; i < rank; ++i) {
      const Dim& dim = inputs[0].dims[static_cast<size_t>(i)];
      if (!reduced(i)) {
        type.dims.push_back(dim);
      } else if (keep_) {
        type.dims.push_back(dim.is_static() && dim.size() == 1 ? dim : Dim::fixed(1));
      }
    }
    return {type};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), reduce(kind_, context.input(0), axes_, context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override;

 private:
  bool reduced(int axis) const { return std::find(axes_.begin(), axes_.end(), axis) != axes_.end(); }
  void check_dtype(const std::vector<ExprType>& inputs) const {
    const DType dtype = inputs[0].dtype;
    const bool is_float = dtype == DType::kFloat32 || dtype == DType::kFloat64;
    const bool is_logic = kind_ == Reduction::kAny || kind_ == Reduction::kAll;
    const bool floats_only = kind_ == Reduction::kMean || kind_ == Reduction::kLogSumExp;
    if (is_logic != (dtype == DType::kBool) || (floats_only && !is_float)) {
      op_error(name(), "does not take this dtype", inputs);
    }
  }
  /// A result (or its gradient) with the reduced axes put back as size 1.
  Expr kept(Expr result, Expr x) const {
    if (keep_) return result;
    std::vector<Dim> dims = x.dims();
    for (const int axis : axes_) dims[static_cast<size_t>(axis)] = Dim::fixed(1);
    return reshape(result, dims);
  }

  Reduction kind_;
  std::vector<int> axes_;
  bool keep_;
};

std::vector<Expr> ReduceOp::vjp(const VjpContext& context) const {
  const Expr x = context.input(0);
  if (kind_ == Reduction::kAny || kind_ == Reduction::kAll) return {Expr{}};
  const Expr grad = kept(context.grad(), x);
  if (kind_ == Reduction::kSum) return {broadcast_to(grad, x.dims())};
  if (kind_ == Reduction::kMean) {
    std::vector<Dim> counted;
    for (const int axis : axes_) counted.push_back(x.dim(axis));
    const Expr count = context.graph.add(std::make_shared<const CountOp>(counted), {});
    return {broadcast_to(div(grad, cast(count, grad.dtype())), x.dims())};
  }
  const Expr y = kept(context.output(0), x);
  if (kind_ == Reduction::kLogSumExp) return {mul(grad, unary(Unary::kExp, sub(x, y)))};
  if (kind_ == Reduction::kProd) return {div(mul(grad, y), x)};
  // Equal extrema share the gradient.
  const Expr chosen = cast(binary(Binary::kEqual, x, y), x.dtype());
  const Expr share = div(grad, reduce(Reduction::kSum, chosen, axes_, true));
  return {mul(chosen, share)};
}

class ArgExtremumOp final : public DeviceOp {
 public:
  ArgExtremumOp(bool largest, int axis) : largest_(largest), axis_(axis) {}

  std::string_view name() const override { return largest_ ? "argmax" : "argmin"; }
  PaddingRule padding() const override {
    if (axis_ < 2) return {};
    return {.kind = PaddingRule::Kind::kFrameWise};
  }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("axis", axis_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    std::vector<Dim> dims = inputs[0].dims;
    if (axis_ < 0 || static_cast<size_t>(axis_) >= dims.size()) {
      op_error(name(), fmt::format("there is no axis {}", axis_), inputs);
    }
    if (inputs[0].dtype == DType::kBool) op_error(name(), "does not take this dtype", inputs);
    dims.erase(dims.begin() + axis_);
    return {{DType::kInt32, dims}};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), arg_extremum(largest_, context.input(0), axis_, context.output(0)));
  }
  std::vector<Expr> vjp(const VjpContext&) const override { return {Expr{}}; }

 private:
  bool largest_;
  int axis_;
};

}  // namespace

Expr reduce(Reduction kind, Expr x, const std::vector<int>& axes, bool keep) {
  std::vector<int> sorted;
  for (const int axis : axes) sorted.push_back(axis < 0 ? axis + x.rank() : axis);
  std::sort(sorted.begin(), sorted.end());
  sorted.erase(std::unique(sorted.begin(), sorted.end()), sorted.end());
  if (sorted.empty()) return x;
  if (is_complex(x)) return complex_reduce(kind, x, sorted, keep);
  return x.graph->add(std::make_shared<const ReduceOp>(kind, std::move(sorted), keep), {x});
}

std::vector<int> all_axes(Expr x) {
  std::vector<int> axes(static_cast<size_t>(x.rank()));
  std::iota(axes.begin(), axes.end(), 0);
  return axes;
}

Expr sum_all(Expr x) { return x.rank() == 0 ? x : reduce(Reduction::kSum, x, all_axes(x)); }

Expr argmax(Expr x, int axis) {
  if (axis < 0) axis += x.rank();
  // Softmax does not change which element is the largest; often nobody else wants its values.
  const Node& producer = x.graph->node(x.node);
  if (op_text(*producer.op) == fmt::format("softmax{{axis={}}}", axis)) return argmax(producer.inputs[0], axis);
  return x.graph->add(std::make_shared<const ArgExtremumOp>(true, axis < 0 ? axis + x.rank() : axis), {x});
}

Expr argmin(Expr x, int axis) {
  return x.graph->add(std::make_shared<const ArgExtremumOp>(false, axis < 0 ? axis + x.rank() : axis), {x});
}

}  // namespace wende::ops
