#include "kernels/lstm.h"

#include "graph/device_op.h"
#include "ops/recurrent.h"
#include "ops/recurrent_inputs.h"

namespace wende::ops {

namespace {

struct LstmAttributes {
  int direction = 1;
  GateOrder order = GateOrder::kNative;
  double forget_bias = 0.0;
  bool has_c0 = false;
  bool has_h0 = false;

  void visit(AttributeVisitor& visitor) const {
    visitor.field("direction", direction);
    visitor.field("order", std::string(order == GateOrder::kNative ? "native" : "tf"));
    visitor.field("forget_bias", forget_bias);
    visitor.field("has_c0", has_c0);
    visitor.field("has_h0", has_h0);
  }
  cpu::LstmOptions options() const { return {direction, order == GateOrder::kTf, static_cast<float>(forget_bias)}; }
};

/// Inputs: those of dy, d_last_h, d_last_c that are there; gates, cells, y, w_re, lengths; c0 and h0 if there.
/// Outputs: dz, dw_re, dc0, dh0.
class LstmGradOp : public DeviceOp {
 public:
  LstmGradOp(LstmAttributes attributes, std::vector<bool> has_grad)
      : attributes_(attributes), has_grad_(std::move(has_grad)) {}
  std::string_view name() const override { return "lstm_grad"; }
  PaddingRule padding() const override {
    return {.kind = PaddingRule::Kind::kRecurrent, .mask = first_saved() + 4, .packs = true};
  }
  OpTraits traits() const override { return {.overwrites = {.output = 0, .input = first_saved()}}; }
  void attributes(AttributeVisitor& visitor) const override {
    attributes_.visit(visitor);
    visitor.field("has_dy", has_grad_[0]);
    visitor.field("has_d_last_h", has_grad_[1]);
    visitor.field("has_d_last_c", has_grad_[2]);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const size_t first = static_cast<size_t>(first_saved());
    const ExprType& y = inputs[first + 2];
    const ExprType state{DType::kFloat32, {y.dims[1], y.dims[2]}};
    return {inputs[first], inputs[first + 3], state, state};
  }

  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::LstmBackward args;
    args.dy = inputs.next(has_grad_[0]);
    args.d_last_h = inputs.next(has_grad_[1]);
    args.d_last_c = inputs.next(has_grad_[2]);
    args.gates = inputs.next();
    args.cells = inputs.next();
    args.y = inputs.next();
    args.w_re = inputs.next();
    args.lengths = inputs.next();
    args.c0 = inputs.next(attributes_.has_c0);
    args.h0 = inputs.next(attributes_.has_h0);
    args.dz = context.output(0);
    args.dw_re = context.output(1);
    args.dc0 = wanted_output(context, 2);
    args.dh0 = wanted_output(context, 3);
    WENDE_ON_DEVICE(context.device(), lstm_backward(args, attributes_.options(), scratch_of(context)));
  }

 private:
  int first_saved() const { return static_cast<int>(has_grad_[0] + has_grad_[1] + has_grad_[2]); }

  LstmAttributes attributes_;
  std::vector<bool> has_grad_;
};

/// Inputs: z, w_re, lengths, c0 and h0 if there. Outputs: y, last_h, last_c, gates, cells; the last two serve the
/// gradient.
class LstmOp : public DeviceOp {
 public:
  explicit LstmOp(LstmAttributes attributes) : attributes_(attributes) {}
  std::string_view name() const override { return "lstm"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kRecurrent, .mask = 2, .packs = true}; }
  // z, gates and, in backward, dz: one memory for the three of them.
  OpTraits traits() const override { return {.overwrites = {.output = 3, .input = 0}}; }
  void attributes(AttributeVisitor& visitor) const override { attributes_.visit(visitor); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const std::vector<Dim>& z = inputs[0].dims;
    const std::vector<Dim>& w = inputs[1].dims;
    if (z.size() != 3 || w.size() != 2 || !z[2].same_size(w[1])) op_error(name(), "needs z [T,B,4n], w [n,4n]", inputs);
    if (!w[0].is_static() || !w[1].is_static() || w[1].size() != 4 * w[0].size()) {
      op_error(name(), "the recurrent matrix must be [n,4n]", inputs);
    }
    if (inputs[0].dtype != DType::kFloat32 || inputs[2].dtype != DType::kInt32 || inputs[2].dims.size() != 1) {
      op_error(name(), "needs float32 z and int32 lengths [B]", inputs);
    }
    for (size_t i = 3; i < inputs.size(); ++i) {
      if (inputs[i].dims.size() != 2 || !inputs[i].dims[1].same_size(w[0])) {
        op_error(name(), "initial states must be [B,n]", inputs);
      }
    }
    const ExprType y{DType::kFloat32, {z[0], z[1], w[0]}};
    const ExprType state{DType::kFloat32, {z[1], w[0]}};
    return {y, state, state, inputs[0], y};
  }

  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::LstmForward args;
    args.z = inputs.next();
    args.w_re = inputs.next();
    args.lengths = inputs.next();
    args.c0 = inputs.next(attributes_.has_c0);
    args.h0 = inputs.next(attributes_.has_h0);
    args.y = context.output(0);
    args.last_h = wanted_output(context, 1);
    args.last_c = wanted_output(context, 2);
    args.gates = wanted_output(context, 3);
    args.cells = wanted_output(context, 4);
    WENDE_ON_DEVICE(context.device(), lstm_forward(args, attributes_.options(), scratch_of(context)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Expr> inputs;
    std::vector<bool> has_grad;
    for (int i = 0; i < 3; ++i) {
      has_grad.push_back(context.grad(i).defined());
      if (has_grad.back()) inputs.push_back(context.grad(i));
    }
    inputs.insert(inputs.end(),
                  {context.output(3), context.output(4), context.output(0), context.input(1), context.input(2)});
    for (size_t i = 3; i < context.node.inputs.size(); ++i) inputs.push_back(context.node.inputs[i]);
    const Expr dz = context.graph.add(std::make_shared<const LstmGradOp>(attributes_, has_grad), inputs);
    std::vector<Expr> grads{dz, context.graph.output_of(dz, 1), {}};
    if (attributes_.has_c0) grads.push_back(context.graph.output_of(dz, 2));
    if (attributes_.has_h0) grads.push_back(context.graph.output_of(dz, 3));
    return grads;
  }

 private:
  LstmAttributes attributes_;
};

}  // namespace

RecurrentState lstm(Expr z, Expr w_re, Expr lengths, Expr c0, Expr h0, int direction, GateOrder order,
                    double forget_bias) {
  std::vector<Expr> inputs{z, w_re, lengths};
  if (c0.defined()) inputs.push_back(c0);
  if (h0.defined()) inputs.push_back(h0);
  const LstmAttributes attributes{direction, order, forget_bias, c0.defined(), h0.defined()};
  const Expr y = z.graph->add(std::make_shared<const LstmOp>(attributes), inputs);
  return {y, z.graph->output_of(y, 1), z.graph->output_of(y, 2)};
}

}  // namespace wende::ops
