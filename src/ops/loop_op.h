#pragma once

#include <memory>

#include "graph/device_op.h"
#include "ops/loop.h"

namespace wende::ops {

/// The node that runs a LoopBody: see LoopBody::values for its outputs.
class LoopOp final : public DeviceOp {
 public:
  explicit LoopOp(std::shared_ptr<const LoopBody> body) : body_(std::move(body)) {}

  const LoopBody& loop_body() const { return *body_; }
  const Graph* body() const override { return body_->graph.get(); }
  std::string_view name() const override { return "loop"; }
  OpTraits traits() const override { return {.pure = false, .skips_unwanted = true}; }
  void attributes(AttributeVisitor& visitor) const override;
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override;
  void run(RunContext& context) const override;
  std::vector<Expr> vjp(const VjpContext& context) const override;

 private:
  std::shared_ptr<const LoopBody> body_;
};

}  // namespace wende::ops
