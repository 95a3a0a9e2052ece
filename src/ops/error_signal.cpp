#include "ops/error_signal.h"

#include "graph/op.h"
#include "ops/pointwise.h"

namespace wende::ops {

namespace {

/// Inputs: loss, x, error signal.
class ErrorSignalOp : public Op {
 public:
  explicit ErrorSignalOp(bool ignore_scale) : ignore_scale_(ignore_scale) {}
  std::string_view name() const override { return "error_signal"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("ignore_scale", ignore_scale_); }
  int aliases_input() const override { return 0; }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0)); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[1].dims.size() != inputs[2].dims.size()) op_error(name(), "the error signal does not fit x", inputs);
    if (!inputs[0].dims.empty() && inputs[0].dims.size() != inputs[1].dims.size()) {
      op_error(name(), "the loss must be a scalar or broadcast to x", inputs);
    }
    return {inputs[0]};
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Expr> grads(3);
    if (context.grad().defined() && context.needed[1]) {
      grads[1] = ignore_scale_ ? context.input(2) : mul(context.input(2), context.grad());
    }
    return grads;
  }

 private:
  bool ignore_scale_;
};

}  // namespace

Expr with_error_signal(Expr loss, Expr x, Expr error_signal, bool ignore_scale) {
  return loss.graph->add(std::make_shared<const ErrorSignalOp>(ignore_scale), {loss, x, error_signal});
}

}  // namespace wende::ops
