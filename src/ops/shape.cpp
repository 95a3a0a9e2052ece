#include "ops/shape.h"

#include <fmt/core.h>

#include "base/error.h"
#include "graph/device_op.h"
#include "ops/complex.h"
#include "ops/reduce.h"

namespace wende::ops {
namespace {

bool is_one(const Dim& dim) { return dim.is_static() && dim.size() == 1; }

class PermuteOp final : public DeviceOp {
 public:
  explicit PermuteOp(std::vector<int> axes) : axes_(std::move(axes)) {}

  std::string_view name() const override { return "permute"; }
  PaddingRule padding() const override {
    const bool keeps_frames = axes_.size() >= 2 && std::max(axes_[0], axes_[1]) == 1;
    if (!keeps_frames) return {};
    return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0}};
  }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("axes", axes_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const auto& dims = inputs[0].dims;
    std::vector<bool> seen(dims.size(), false);
    ExprType type{inputs[0].dtype, {}};
    for (const int axis : axes_) {
      if (axis < 0 || static_cast<size_t>(axis) >= dims.size() || seen[static_cast<size_t>(axis)]) break;
      seen[static_cast<size_t>(axis)] = true;
      type.dims.push_back(dims[static_cast<size_t>(axis)]);
    }
    if (axes_.size() != dims.size() || type.dims.size() != dims.size()) {
      op_error(name(), "the axes are no permutation of the input's", inputs);
    }
    return {type};
  }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0).permuted(axes_)); }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<int> inverse(axes_.size());
    for (size_t i = 0; i < axes_.size(); ++i) inverse[static_cast<size_t>(axes_[i])] = static_cast<int>(i);
    return {permute(context.grad(), inverse)};
  }

 private:
  std::vector<int> axes_;
};

class ReshapeOp final : public DeviceOp {
 public:
  explicit ReshapeOp(std::vector<Dim> dims) : dims_(std::move(dims)) {}

  std::string_view name() const override { return "reshape"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kFrameWise, .zero_all = {0}}; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dims", dims_); }
  int aliases_input() const override { return 0; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType type{inputs[0].dtype, dims_};
    const int64_t before = static_elements(inputs[0].dims);
    const int64_t after = static_elements(dims_);
    if (before >= 0 && after >= 0 && before != after) {
      op_error(name(), fmt::format("{} elements cannot become {}", before, after), {inputs[0], type});
    }
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    const Tensor& y = context.output(0);
    if (x.elements() != y.elements()) {
      throw Error(ExitStatus::kConfig, fmt::format("[reshape] {} cannot become {}", x.shape().str(), y.shape().str()));
    }
    y.copy_from(x.reshaped(y.shape()));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {reshape(context.grad(), context.input(0).dims())};
  }

 private:
  /// -1: not known before the batch.
  static int64_t static_elements(const std::vector<Dim>& dims) {
    int64_t product = 1;
    for (const Dim& dim : dims) {
      if (dim.is_dynamic()) return -1;
      product *= dim.size();
    }
    return product;
  }
  std::vector<Dim> dims_;
};

class BroadcastOp final : public DeviceOp {
 public:
  explicit BroadcastOp(std::vector<Dim> dims) : dims_(std::move(dims)) {}

  std::string_view name() const override { return "broadcast_to"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dims", dims_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType type{inputs[0].dtype, dims_};
    if (inputs[0].dims.size() != dims_.size()) op_error(name(), "ranks differ", {inputs[0], type});
    for (size_t i = 0; i < dims_.size(); ++i) {
      if (!is_one(inputs[0].dims[i]) && !inputs[0].dims[i].same_size(dims_[i])) {
        op_error(name(), fmt::format("sizes of axis {} differ", i), {inputs[0], type});
      }
    }
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& y = context.output(0);
    y.copy_from(context.input(0).broadcast_to(y.shape()));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {sum_to(context.grad(), context.input(0).dims())};
  }

 private:
  std::vector<Dim> dims_;
};

}  // namespace

Expr permute(Expr x, const std::vector<int>& axes) {
  if (is_complex(x)) return by_parts(x, [&](Expr part) { return permute(part, axes); });
  bool identity = static_cast<int>(axes.size()) == x.rank();
  for (size_t i = 0; identity && i < axes.size(); ++i) identity = axes[i] == static_cast<int>(i);
  return identity ? x : x.graph->add(std::make_shared<const PermuteOp>(axes), {x});
}

Expr reshape(Expr x, std::vector<Dim> dims) {
  if (dims == x.dims()) return x;
  if (is_complex(x)) return by_parts(x, [&](Expr part) { return reshape(part, dims); });
  return x.graph->add(std::make_shared<const ReshapeOp>(std::move(dims)), {x});
}

Expr expand_dims(Expr x, int axis) {
  if (axis < 0) axis += x.rank() + 1;
  if (axis < 0 || axis > x.rank())
    op_error("expand_dims", fmt::format("there is no place for axis {}", axis), {x.type()});
  std::vector<Dim> dims = x.dims();
  dims.insert(dims.begin() + axis, Dim::fixed(1));
  return reshape(x, dims);
}

Expr squeeze(Expr x, int axis) {
  if (axis < 0) axis += x.rank();
  if (axis < 0 || axis >= x.rank() || !is_one(x.dim(axis))) {
    op_error("squeeze", fmt::format("axis {} is not of static size 1", axis), {x.type()});
  }
  std::vector<Dim> dims = x.dims();
  dims.erase(dims.begin() + axis);
  return reshape(x, dims);
}

Expr broadcast_to(Expr x, std::vector<Dim> dims) {
  if (dims == x.dims()) return x;
  if (is_complex(x)) return by_parts(x, [&](Expr part) { return broadcast_to(part, dims); });
  if (x.rank() == 0 && !dims.empty()) x = reshape(x, std::vector<Dim>(dims.size(), Dim::fixed(1)));
  return x.graph->add(std::make_shared<const BroadcastOp>(std::move(dims)), {x});
}

Expr sum_to(Expr x, const std::vector<Dim>& dims) {
  std::vector<int> axes;
  for (int i = 0; i < x.rank(); ++i) {
    if (dims.empty() || (is_one(dims[static_cast<size_t>(i)]) && !is_one(x.dim(i)))) axes.push_back(i);
  }
  return axes.empty() ? x : reduce(Reduction::kSum, x, axes, !dims.empty());
}

}  // namespace wende::ops
