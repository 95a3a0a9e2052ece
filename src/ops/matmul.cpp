#include "ops/matmul.h"

#include "graph/device_op.h"
#include "kernels/matmul.h"
#include "ops/recurrent_inputs.h"

namespace wende::ops {

namespace {

void need_float(std::string_view op, const std::vector<ExprType>& inputs) {
  for (const ExprType& input : inputs) {
    if (input.dtype != DType::kFloat32) op_error(op, "operands must be float32", inputs);
  }
}

const cpu::Rows* rows_of(const RunContext& context) { return context.frames() ? &context.frames()->rows : nullptr; }

/// Sum over all rows: the gradient of a bias.
class BiasGradOp : public DeviceOp {
 public:
  std::string_view name() const override { return "bias_grad"; }
  OpTraits traits() const override { return {.sums_frames = true}; }
  PaddingRule padding() const override {
    return {.kind = PaddingRule::Kind::kFrameSum, .zero_any = {0}, .skips = true, .packs = true};
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_float(name(), inputs);
    return {{DType::kFloat32, {inputs[0].dims.back()}}};
  }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(), column_sum(context.input(0), rows_of(context), context.output(0)));
  }
};

/// a [...,K]^T b [...,N] over all rows: the gradient of a weight matrix; with_bias: and the sum of b, that of a bias.
class LinearWeightGradOp : public DeviceOp {
 public:
  explicit LinearWeightGradOp(bool with_bias) : with_bias_(with_bias) {}
  std::string_view name() const override { return "linear_weight_grad"; }
  OpTraits traits() const override { return {.sums_frames = true}; }
  PaddingRule padding() const override {
    return {.kind = PaddingRule::Kind::kFrameSum, .zero_any = {0, 1}, .skips = true, .packs = true};
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_float(name(), inputs);
    std::vector<ExprType> outputs{{DType::kFloat32, {inputs[0].dims.back(), inputs[1].dims.back()}}};
    if (with_bias_) outputs.push_back({DType::kFloat32, {inputs[1].dims.back()}});
    return outputs;
  }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("with_bias", with_bias_); }
  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    linear_weight_grad(context.input(0), context.input(1), rows_of(context), scratch_of(context),
                                       context.output(0), with_bias_ ? context.output(1) : Tensor()));
  }

 private:
  bool with_bias_;
};

class LinearOp : public DeviceOp {
 public:
  LinearOp(bool transpose_w, bool has_bias) : transpose_w_(transpose_w), has_bias_(has_bias) {}
  std::string_view name() const override { return "linear"; }
  PaddingRule padding() const override {
    PaddingRule rule{.kind = PaddingRule::Kind::kFrameWise, .skips = true, .packs = true};
    if (!has_bias_) rule.zero_any = {0};
    return rule;
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("transpose_w", transpose_w_);
    visitor.field("has_bias", has_bias_);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_float(name(), inputs);
    const std::vector<Dim>& w = inputs[1].dims;
    if (inputs[0].dims.empty() || w.size() != 2) op_error(name(), "needs x [...,K] and a matrix", inputs);
    if (!inputs[0].dims.back().same_size(w[transpose_w_ ? 1 : 0])) op_error(name(), "inner sizes differ", inputs);
    ExprType out = inputs[0];
    out.dims.back() = w[transpose_w_ ? 0 : 1];
    if (has_bias_ && (inputs[2].dims.size() != 1 || !inputs[2].dims[0].same_size(out.dims.back()))) {
      op_error(name(), "the bias does not fit", inputs);
    }
    return {out};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    linear(context.input(0), context.input(1), has_bias_ ? context.input(2) : Tensor(), transpose_w_,
                           rows_of(context), scratch_of(context), context.output(0)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr x = context.input(0);
    const Expr dy = context.grad();
    std::vector<Expr> grads(context.node.inputs.size());
    if (context.needed[0]) grads[0] = linear(dy, context.input(1), {}, !transpose_w_);
    const bool with_bias = has_bias_ && context.needed[2] && !transpose_w_;
    if (context.needed[1]) {
      grads[1] = context.graph.add(std::make_shared<const LinearWeightGradOp>(with_bias),
                                   transpose_w_ ? std::vector<Expr>{dy, x} : std::vector<Expr>{x, dy});
      if (with_bias) grads[2] = context.graph.output_of(grads[1], 1);
    }
    if (has_bias_ && context.needed[2] && !grads[2].defined()) {
      grads[2] = context.graph.add(std::make_shared<const BiasGradOp>(), {dy});
    }
    return grads;
  }

 private:
  bool transpose_w_;
  bool has_bias_;
};

class BatchMatmulOp : public DeviceOp {
 public:
  BatchMatmulOp(bool transpose_a, bool transpose_b) : transpose_a_(transpose_a), transpose_b_(transpose_b) {}
  std::string_view name() const override { return "batch_matmul"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("transpose_a", transpose_a_);
    visitor.field("transpose_b", transpose_b_);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    need_float(name(), inputs);
    const std::vector<Dim>& a = inputs[0].dims;
    const std::vector<Dim>& b = inputs[1].dims;
    const size_t rank = a.size();
    if (rank < 2 || b.size() != rank) op_error(name(), "needs two operands of one rank, at least 2", inputs);
    for (size_t i = 0; i + 2 < rank; ++i) {
      if (!a[i].same_size(b[i])) op_error(name(), "leading sizes differ", inputs);
    }
    if (!a[rank - (transpose_a_ ? 2 : 1)].same_size(b[rank - (transpose_b_ ? 1 : 2)])) {
      op_error(name(), "inner sizes differ", inputs);
    }
    ExprType out = inputs[0];
    out.dims[rank - 2] = a[rank - (transpose_a_ ? 1 : 2)];
    out.dims[rank - 1] = b[rank - (transpose_b_ ? 2 : 1)];
    return {out};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    batch_matmul(context.input(0), context.input(1), transpose_a_, transpose_b_, context.output(0)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr a = context.input(0);
    const Expr b = context.input(1);
    const Expr dc = context.grad();
    std::vector<Expr> grads(2);
    if (context.needed[0]) {
      grads[0] = transpose_a_ ? batch_matmul(b, dc, transpose_b_, true) : batch_matmul(dc, b, false, !transpose_b_);
    }
    if (context.needed[1]) {
      grads[1] = transpose_b_ ? batch_matmul(dc, a, true, transpose_a_) : batch_matmul(a, dc, !transpose_a_, false);
    }
    return grads;
  }

 private:
  bool transpose_a_;
  bool transpose_b_;
};

}  // namespace

Expr linear(Expr x, Expr w, Expr bias, bool transpose_w) {
  std::vector<Expr> inputs{x, w};
  if (bias.defined()) inputs.push_back(bias);
  return x.graph->add(std::make_shared<const LinearOp>(transpose_w, bias.defined()), inputs);
}

Expr batch_matmul(Expr a, Expr b, bool transpose_a, bool transpose_b) {
  return a.graph->add(std::make_shared<const BatchMatmulOp>(transpose_a, transpose_b), {a, b});
}

}  // namespace wende::ops
