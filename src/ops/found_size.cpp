#include "ops/found_size.h"

#include "graph/device_op.h"
#include "graph/size_op.h"
#include "tensor/placement.h"

namespace wende::ops {
namespace {

class FoundLengthsOp final : public SizeOp {
 public:
  explicit FoundLengthsOp(Dim dim) : dim_(std::move(dim)) {}
  std::string_view name() const override { return "found_lengths"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("dim", dim_); }
  OpTraits traits() const override { return {.host_only = true}; }
  const Dim& sized() const override { return dim_; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const bool fits = inputs[0].dtype == DType::kInt32 && inputs[0].dims.size() <= 1;
    if (!fits || dim_.is_static() || dim_.op() != Dim::Op::kRoot) {
      op_error(name(), "needs int32 [B], or one int32, for a dynamic axis, got them for " + dim_.str(), inputs);
    }
    return {inputs[0]};
  }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0)); }

 private:
  Dim dim_;
};

/// One axis becomes `to`: shorter by leaving out its end, or longer by zeros.
class ResizeAxisOp final : public DeviceOp {
 public:
  ResizeAxisOp(int axis, Dim to) : axis_(axis), to_(std::move(to)) {}
  std::string_view name() const override { return "resize_axis"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("to", to_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType type = inputs[0];
    type.dims.at(static_cast<size_t>(axis_)) = to_;
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    const Tensor& out = context.output(0);
    const int64_t common = std::min(x.dim(axis_), out.dim(axis_));
    if (out.dim(axis_) > common) clear(out);
    if (common > 0) out.sliced(axis_, 0, common).copy_from(x.sliced(axis_, 0, common));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Dim& from = context.input(0).dim(axis_);
    return {context.graph.add(std::make_shared<const ResizeAxisOp>(axis_, from), {context.grad()})};
  }

 private:
  int axis_;
  Dim to_;
};

}  // namespace

Expr found_lengths(Expr lengths, const Dim& dim) {
  return lengths.graph->add(std::make_shared<const FoundLengthsOp>(dim), {lengths});
}

Expr found_size(Expr size, const Dim& dim) { return found_lengths(size, dim); }

Expr cut(Expr x, int axis, const Dim& out) {
  return x.graph->add(std::make_shared<const ResizeAxisOp>(axis, out), {x});
}

}  // namespace wende::ops
