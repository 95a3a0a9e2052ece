#include "ops/check.h"

#include "base/error.h"
#include "graph/op.h"

namespace wende::ops {
namespace {

class CheckOp final : public Op {
 public:
  explicit CheckOp(std::string message) : message_(std::move(message)) {}
  std::string_view name() const override { return "check"; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("message", message_); }
  OpTraits traits() const override { return {.pure = false, .host_only = true}; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    if (inputs[1].dtype != DType::kBool || !inputs[1].dims.empty()) {
      op_error(name(), "the condition must be a bool scalar", inputs);
    }
    return {inputs[0]};
  }
  void run(RunContext& context) const override {
    if (!context.input(1).data<bool>()[0]) {
      throw Error(ExitStatus::kMalformedInput, "assertion failed: " + message_);
    }
    context.output(0).copy_from(context.input(0));
  }
  std::vector<Expr> vjp(const VjpContext& context) const override { return {context.grad(), Expr()}; }

 private:
  std::string message_;
};

}  // namespace

Expr checked(Expr x, Expr holds, const std::string& message) {
  return x.graph->add(std::make_shared<const CheckOp>(message), {x, holds});
}

}  // namespace wende::ops
