#include "kernels/cross_entropy.h"

#include "graph/device_op.h"
#include "ops/softmax.h"

namespace wende::ops {

namespace {

bool same_dims(const std::vector<Dim>& a, const std::vector<Dim>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!a[i].same_size(b[i])) return false;
  }
  return true;
}

std::vector<Dim> leading(const std::vector<Dim>& dims) { return {dims.begin(), dims.end() - 1}; }

/// Inputs: logits, lse, labels, dloss, [valid].
class SparseGradOp : public DeviceOp {
 public:
  explicit SparseGradOp(bool has_valid) : has_valid_(has_valid) {}
  std::string_view name() const override { return "softmax_cross_entropy_grad"; }
  PaddingRule padding() const override {
    PaddingRule rule{.kind = PaddingRule::Kind::kFrameWise, .zero_any = {3}};
    if (has_valid_) {
      rule.zero_any.push_back(4);
      rule.mask = 4;
      rule.masked = {0, 1, 2, 3};
    }
    return rule;
  }
  // The logits are the largest value of many networks, and nobody reads them after this.
  OpTraits traits() const override { return {.overwrites = {.output = 0, .input = 0}}; }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("has_valid", has_valid_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    cross_entropy_grad(context.input(0), context.input(1), context.input(2),
                                       has_valid_ ? context.input(4) : Tensor(), context.input(3), context.output(0)));
  }

 private:
  bool has_valid_;
};

/// Inputs: logits, labels, [valid]; outputs: loss, logsumexp.
class SparseOp : public DeviceOp {
 public:
  explicit SparseOp(bool has_valid) : has_valid_(has_valid) {}
  std::string_view name() const override { return "softmax_cross_entropy"; }
  PaddingRule padding() const override {
    PaddingRule rule{.kind = PaddingRule::Kind::kFrameWise};
    if (has_valid_) {
      rule.zero_any = {2};
      rule.mask = 2;
      rule.masked = {0, 1};
    }
    return rule;
  }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("has_valid", has_valid_); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType& logits = inputs[0];
    const bool types_fit = logits.dtype == DType::kFloat32 && inputs[1].dtype == DType::kInt32 &&
                           (!has_valid_ || inputs[2].dtype == DType::kBool);
    if (!types_fit || logits.dims.empty()) op_error(name(), "needs float32 logits, int32 labels, bool valid", inputs);
    const std::vector<Dim> rows = leading(logits.dims);
    if (!same_dims(rows, inputs[1].dims) || (has_valid_ && !same_dims(rows, inputs[2].dims))) {
      op_error(name(), "labels do not fit the logits", inputs);
    }
    return {{DType::kFloat32, rows}, {DType::kFloat32, rows}};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    cross_entropy(context.input(0), context.input(1), has_valid_ ? context.input(2) : Tensor(),
                                  context.output(0), context.output(1)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Expr> grads(context.node.inputs.size());
    if (!context.needed[0] || !context.grad().defined()) return grads;
    std::vector<Expr> inputs{context.input(0), context.output(1), context.input(1), context.grad()};
    if (has_valid_) inputs.push_back(context.input(2));
    grads[0] = context.graph.add(std::make_shared<const SparseGradOp>(has_valid_), inputs);
    return grads;
  }

 private:
  bool has_valid_;
};

/// Inputs: logits, lse, targets, dloss.
class DenseGradOp : public DeviceOp {
 public:
  std::string_view name() const override { return "softmax_cross_entropy_dense_grad"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), cross_entropy_dense_grad(context.input(0), context.input(1), context.input(2),
                                                               context.input(3), context.output(0)));
  }
};

/// Inputs: logits, lse, dloss.
class TargetGradOp : public DeviceOp {
 public:
  std::string_view name() const override { return "softmax_cross_entropy_target_grad"; }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    cross_entropy_target_grad(context.input(0), context.input(1), context.input(2), context.output(0)));
  }
};

/// Inputs: logits, targets; outputs: loss, logsumexp.
class DenseOp : public DeviceOp {
 public:
  std::string_view name() const override { return "softmax_cross_entropy_dense"; }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType& logits = inputs[0];
    if (logits.dtype != DType::kFloat32 || inputs[1].dtype != DType::kFloat32 || logits.dims.empty()) {
      op_error(name(), "needs float32 logits and targets", inputs);
    }
    if (!same_dims(logits.dims, inputs[1].dims)) op_error(name(), "targets do not fit the logits", inputs);
    const std::vector<Dim> rows = leading(logits.dims);
    return {{DType::kFloat32, rows}, {DType::kFloat32, rows}};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    cross_entropy_dense(context.input(0), context.input(1), context.output(0), context.output(1)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Expr> grads(2);
    if (!context.grad().defined()) return grads;
    const Expr lse = context.output(1);
    if (context.needed[0]) {
      grads[0] = context.graph.add(std::make_shared<const DenseGradOp>(),
                                   {context.input(0), lse, context.input(1), context.grad()});
    }
    if (context.needed[1]) {
      grads[1] = context.graph.add(std::make_shared<const TargetGradOp>(), {context.input(0), lse, context.grad()});
    }
    return grads;
  }
};

}  // namespace

Expr softmax_cross_entropy(Expr logits, Expr labels, Expr valid) {
  std::vector<Expr> inputs{logits, labels};
  if (valid.defined()) inputs.push_back(valid);
  return logits.graph->add(std::make_shared<const SparseOp>(valid.defined()), inputs);
}

Expr softmax_cross_entropy_dense(Expr logits, Expr targets) {
  return logits.graph->add(std::make_shared<const DenseOp>(), {logits, targets});
}

}  // namespace wende::ops
