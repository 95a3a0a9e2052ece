#include <algorithm>

#include "graph/device_op.h"
#include "kernels/pointwise.h"
#include "ops/leaf.h"
#include "ops/loop.h"

namespace wende::ops {
namespace {

/// Inputs: x [T,...], boundary [...].
class ShiftStepsOp final : public DeviceOp {
 public:
  explicit ShiftStepsOp(int offset) : offset_(offset) {}

  std::string_view name() const override { return "shift_steps"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("offset", offset_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dims.size() != inputs[1].dims.size() + 1 || inputs[0].dtype != inputs[1].dtype) {
      op_error(name(), "needs x [T,...] and the same without T", inputs);
    }
    return {inputs[0]};
  }
  void run(RunContext& context) const override {
    const Tensor& out = context.output(0);
    const int64_t steps = out.dim(0);
    const int64_t begin = std::clamp<int64_t>(-offset_, 0, steps);
    const int64_t end = std::clamp<int64_t>(steps - offset_, begin, steps);
    if (end > begin) out.sliced(0, begin, end).copy_from(context.input(0).sliced(0, begin + offset_, end + offset_));
    for (int64_t t = 0; t < steps; ++t) {
      if (t == begin) t = end;
      if (t < steps) out.sliced(0, t, t + 1).reshaped(context.input(1).shape()).copy_from(context.input(1));
    }
  }
  std::vector<Expr> vjp(const VjpContext& context) const override;

 private:
  int offset_;
};

/// The sum of the frames of dy [T,...] that came from the boundary: [...].
class BoundaryGradOp final : public DeviceOp {
 public:
  explicit BoundaryGradOp(int offset) : offset_(offset) {}

  std::string_view name() const override { return "shift_steps_boundary_grad"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("offset", offset_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType type = inputs[0];
    type.dims.erase(type.dims.begin());
    return {type};
  }
  void run(RunContext& context) const override {
    const Tensor& dy = context.input(0);
    const Tensor& out = context.output(0);
    const int64_t steps = dy.dim(0);
    WENDE_ON_DEVICE(context.device(), fill(out, 0.0));
    for (int64_t t = 0; t < steps; ++t) {
      if (t + offset_ >= 0 && t + offset_ < steps) continue;
      const Tensor frame = dy.sliced(0, t, t + 1).reshaped(out.shape());
      WENDE_ON_DEVICE(context.device(), binary(Binary::kAdd, out, frame, out));
    }
  }

 private:
  int offset_;
};

std::vector<Expr> ShiftStepsOp::vjp(const VjpContext& context) const {
  const Expr dy = context.grad();
  std::vector<Expr> grads(2);
  if (context.needed[0]) {
    const Expr zeros = constant(context.graph, 0.0, DType::kFloat32, context.input(1).dims());
    grads[0] = shift_steps(dy, zeros, -offset_);
  }
  if (context.needed[1]) grads[1] = context.graph.add(std::make_shared<const BoundaryGradOp>(offset_), {dy});
  return grads;
}

}  // namespace

Expr shift_steps(Expr x, Expr boundary, int offset) {
  return x.graph->add(std::make_shared<const ShiftStepsOp>(offset), {x, boundary});
}

}  // namespace wende::ops
