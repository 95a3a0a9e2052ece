#include "ops/cumsum.h"

#include "graph/device_op.h"
#include "kernels/cumsum.h"

namespace wende::ops {
namespace {

class CumsumOp final : public DeviceOp {
 public:
  CumsumOp(int axis, bool reverse) : axis_(axis), reverse_(reverse) {}
  std::string_view name() const override { return "cumsum"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("axis", axis_);
    visitor.field("reverse", reverse_);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType& x = inputs[0];
    const bool number = x.dtype == DType::kFloat32 || x.dtype == DType::kInt32;
    if (!number || axis_ < 0 || axis_ >= static_cast<int>(x.dims.size())) {
      op_error(name(), "takes float32 or int32, and an axis that exists", inputs);
    }
    return {x};
  }
  void run(RunContext& context) const override {
    const Tensor& x = context.input(0);
    Shape flat{1, x.dim(axis_), 1};
    for (int i = 0; i < x.rank(); ++i) {
      if (i != axis_) flat[i < axis_ ? 0 : 2] *= x.dim(i);
    }
    WENDE_ON_DEVICE(context.device(), cumsum(x.reshaped(flat), reverse_, context.output(0).reshaped(flat)));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override { return {cumsum(context.grad(), axis_, !reverse_)}; }

 private:
  int axis_;
  bool reverse_;
};

}  // namespace

Expr cumsum(Expr x, int axis, bool reverse) {
  return x.graph->add(std::make_shared<const CumsumOp>(axis < 0 ? axis + x.rank() : axis, reverse), {x});
}

}  // namespace wende::ops
