#include "kernels/simple_rnn.h"

#include "graph/device_op.h"
#include "ops/recurrent.h"
#include "ops/recurrent_inputs.h"

namespace wende::ops {

namespace {

/// Inputs: dy, d_last_h if there; y, w_re, lengths; h0 if there. Outputs: dz, dw_re, dh0.
class SimpleRnnGradOp : public DeviceOp {
 public:
  SimpleRnnGradOp(int direction, bool has_h0, bool has_dy, bool has_d_last_h)
      : direction_(direction), has_h0_(has_h0), has_dy_(has_dy), has_d_last_h_(has_d_last_h) {}
  std::string_view name() const override { return "simple_rnn_grad"; }
  PaddingRule padding() const override {
    return {
        .kind = PaddingRule::Kind::kRecurrent, .mask = static_cast<int>(has_dy_ + has_d_last_h_) + 2, .packs = true};
  }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("direction", direction_);
    visitor.field("has_h0", has_h0_);
    visitor.field("has_dy", has_dy_);
    visitor.field("has_d_last_h", has_d_last_h_);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const size_t first = static_cast<size_t>(has_dy_ + has_d_last_h_);
    const ExprType& y = inputs[first];
    return {y, inputs[first + 1], {DType::kFloat32, {y.dims[1], y.dims[2]}}};
  }

  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::SimpleRnnBackward args;
    args.dy = inputs.next(has_dy_);
    args.d_last_h = inputs.next(has_d_last_h_);
    args.y = inputs.next();
    args.w_re = inputs.next();
    args.lengths = inputs.next();
    args.h0 = inputs.next(has_h0_);
    args.dz = context.output(0);
    args.dw_re = context.output(1);
    args.dh0 = wanted_output(context, 2);
    WENDE_ON_DEVICE(context.device(), simple_rnn_backward(args, direction_, scratch_of(context)));
  }

 private:
  int direction_;
  bool has_h0_;
  bool has_dy_;
  bool has_d_last_h_;
};

/// Inputs: z, w_re, lengths, h0 if there. Outputs: y, last_h.
class SimpleRnnOp : public DeviceOp {
 public:
  SimpleRnnOp(int direction, bool has_h0) : direction_(direction), has_h0_(has_h0) {}
  std::string_view name() const override { return "simple_rnn"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kRecurrent, .mask = 2, .packs = true}; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("direction", direction_);
    visitor.field("has_h0", has_h0_);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const std::vector<Dim>& z = inputs[0].dims;
    const std::vector<Dim>& w = inputs[1].dims;
    const bool fits = z.size() == 3 && w.size() == 2 && z[2].same_size(w[1]) && w[0].same_size(w[1]);
    if (!fits) op_error(name(), "needs z [T,B,n], w [n,n]", inputs);
    return {{DType::kFloat32, {z[0], z[1], w[0]}}, {DType::kFloat32, {z[1], w[0]}}};
  }

  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::SimpleRnnForward args;
    args.z = inputs.next();
    args.w_re = inputs.next();
    args.lengths = inputs.next();
    args.h0 = inputs.next(has_h0_);
    args.y = context.output(0);
    args.last_h = wanted_output(context, 1);
    WENDE_ON_DEVICE(context.device(), simple_rnn_forward(args, direction_, scratch_of(context)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr dy = context.grad(0);
    const Expr d_last_h = context.grad(1);
    std::vector<Expr> inputs;
    if (dy.defined()) inputs.push_back(dy);
    if (d_last_h.defined()) inputs.push_back(d_last_h);
    inputs.insert(inputs.end(), {context.output(0), context.input(1), context.input(2)});
    if (has_h0_) inputs.push_back(context.input(3));
    const auto op = std::make_shared<const SimpleRnnGradOp>(direction_, has_h0_, dy.defined(), d_last_h.defined());
    const Expr dz = context.graph.add(op, inputs);
    std::vector<Expr> grads{dz, context.graph.output_of(dz, 1), {}};
    if (has_h0_) grads.push_back(context.graph.output_of(dz, 2));
    return grads;
  }

 private:
  int direction_;
  bool has_h0_;
};

}  // namespace

RecurrentState simple_rnn(Expr z, Expr w_re, Expr lengths, Expr h0, int direction) {
  std::vector<Expr> inputs{z, w_re, lengths};
  if (h0.defined()) inputs.push_back(h0);
  const Expr y = z.graph->add(std::make_shared<const SimpleRnnOp>(direction, h0.defined()), inputs);
  return {y, z.graph->output_of(y, 1), {}};
}

}  // namespace wende::ops
