#include "ops/softmax.h"

#include "graph/device_op.h"
#include "kernels/softmax.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende::ops {

namespace {

class SoftmaxGradOp : public DeviceOp {
 public:
  SoftmaxGradOp(int axis, bool log) : axis_(axis), log_(log) {}
  std::string_view name() const override { return log_ ? "log_softmax_grad" : "softmax_grad"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("axis", axis_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), softmax_grad(context.input(0), context.input(1), axis_, log_, context.output(0)));
  }
  /// With u for the incoming gradient, g and y for the inputs: of y (g - sum(g y)), or of g - exp(y) sum(g).
  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr y = context.input(0);
    const Expr g = context.input(1);
    const Expr u = context.grad();
    const auto total = [&](Expr x) { return reduce(Reduction::kSum, x, {axis_}, true); };
    if (log_) {
      const Expr p = unary(Unary::kExp, y);
      return {unary(Unary::kNeg, mul(mul(u, p), total(g))), sub(u, total(mul(u, p)))};
    }
    return {sub(mul(u, sub(g, total(mul(g, y)))), mul(g, total(mul(u, y)))), mul(y, sub(u, total(mul(u, y))))};
  }

 private:
  int axis_;
  bool log_;
};

class SoftmaxOp : public DeviceOp {
 public:
  SoftmaxOp(int axis, bool log) : axis_(axis), log_(log) {}
  std::string_view name() const override { return log_ ? "log_softmax" : "softmax"; }
  PaddingRule padding() const override {
    if (axis_ < 2) return {};
    return {.kind = PaddingRule::Kind::kFrameWise};
  }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("axis", axis_); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[0].dtype != DType::kFloat32) op_error(name(), "needs float32", inputs);
    if (axis_ < 0 || axis_ >= static_cast<int>(inputs[0].dims.size())) op_error(name(), "no such axis", inputs);
    return {inputs[0]};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), softmax(context.input(0), axis_, log_, context.output(0)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    return {context.graph.add(std::make_shared<const SoftmaxGradOp>(axis_, log_), {context.output(0), context.grad()})};
  }

 private:
  int axis_;
  bool log_;
};

Expr add_softmax(Expr x, int axis, bool log) {
  return x.graph->add(std::make_shared<const SoftmaxOp>(axis < 0 ? axis + x.rank() : axis, log), {x});
}

}  // namespace

Expr softmax(Expr x, int axis) { return add_softmax(x, axis, false); }
Expr log_softmax(Expr x, int axis) { return add_softmax(x, axis, true); }

}  // namespace wende::ops
