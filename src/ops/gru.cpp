#include "kernels/gru.h"

#include "graph/device_op.h"
#include "ops/recurrent.h"
#include "ops/recurrent_inputs.h"

namespace wende::ops {

namespace {

struct GruAttributes {
  int direction = 1;
  bool has_h0 = false;

  void visit(AttributeVisitor& visitor) const {
    visitor.field("direction", direction);
    visitor.field("has_h0", has_h0);
  }
};

/// Inputs: dy, d_last_h if there; gates, candidate, y, w_gates, w_candidate, lengths; h0 if there.
/// Outputs: dz_gates, dz_candidate, dw_gates, dw_candidate, dh0.
class GruGradOp : public DeviceOp {
 public:
  GruGradOp(GruAttributes attributes, bool has_dy, bool has_d_last_h)
      : attributes_(attributes), has_dy_(has_dy), has_d_last_h_(has_d_last_h) {}
  std::string_view name() const override { return "gru_grad"; }
  PaddingRule padding() const override {
    return {.kind = PaddingRule::Kind::kRecurrent,
            .mask = static_cast<int>(has_dy_ + has_d_last_h_) + 5,
            .zero_outputs = 2,
            .packs = true};
  }
  OpTraits traits() const override {
    return {.overwrites = {.output = 0, .input = static_cast<int>(has_dy_ + has_d_last_h_)}};
  }
  void attributes(AttributeVisitor& visitor) const override {
    attributes_.visit(visitor);
    visitor.field("has_dy", has_dy_);
    visitor.field("has_d_last_h", has_d_last_h_);
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const size_t first = static_cast<size_t>(has_dy_ + has_d_last_h_);
    const ExprType& y = inputs[first + 2];
    return {inputs[first],
            inputs[first + 1],
            inputs[first + 3],
            inputs[first + 4],
            {DType::kFloat32, {y.dims[1], y.dims[2]}}};
  }

  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::GruBackward args;
    args.dy = inputs.next(has_dy_);
    args.d_last_h = inputs.next(has_d_last_h_);
    args.gates = inputs.next();
    args.candidate = inputs.next();
    args.y = inputs.next();
    args.w_gates = inputs.next();
    args.w_candidate = inputs.next();
    args.lengths = inputs.next();
    args.h0 = inputs.next(attributes_.has_h0);
    args.dz_gates = context.output(0);
    args.dz_candidate = context.output(1);
    args.dw_gates = context.output(2);
    args.dw_candidate = context.output(3);
    args.dh0 = wanted_output(context, 4);
    WENDE_ON_DEVICE(context.device(), gru_backward(args, attributes_.direction, scratch_of(context)));
  }

 private:
  GruAttributes attributes_;
  bool has_dy_;
  bool has_d_last_h_;
};

/// Inputs: z_gates, z_candidate, w_gates, w_candidate, lengths, h0 if there. Outputs: y, last_h, gates, candidate.
class GruOp : public DeviceOp {
 public:
  explicit GruOp(GruAttributes attributes) : attributes_(attributes) {}
  std::string_view name() const override { return "gru"; }
  PaddingRule padding() const override { return {.kind = PaddingRule::Kind::kRecurrent, .mask = 4, .packs = true}; }
  void attributes(AttributeVisitor& visitor) const override { attributes_.visit(visitor); }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const std::vector<Dim>& z = inputs[1].dims;
    const std::vector<Dim>& gates = inputs[0].dims;
    const std::vector<Dim>& w = inputs[3].dims;
    const std::vector<Dim>& w_gates = inputs[2].dims;
    const bool fits = z.size() == 3 && gates.size() == 3 && w.size() == 2 && w_gates.size() == 2 &&
                      z[2].same_size(w[0]) && w[0].same_size(w[1]) && w_gates[0].same_size(w[0]) &&
                      gates[2].same_size(w_gates[1]) && w[0].is_static() && w_gates[1].is_static() &&
                      w_gates[1].size() == 2 * w[0].size();
    if (!fits)
      op_error(name(), "needs z_gates [T,B,2n], z_candidate [T,B,n], w_gates [n,2n], w_candidate [n,n]", inputs);
    const ExprType y{DType::kFloat32, {z[0], z[1], w[0]}};
    return {y, {DType::kFloat32, {z[1], w[0]}}, inputs[0], y};
  }

  void run(RunContext& context) const override {
    InputCursor inputs(context);
    cpu::GruForward args;
    args.z_gates = inputs.next();
    args.z_candidate = inputs.next();
    args.w_gates = inputs.next();
    args.w_candidate = inputs.next();
    args.lengths = inputs.next();
    args.h0 = inputs.next(attributes_.has_h0);
    args.y = context.output(0);
    args.last_h = wanted_output(context, 1);
    args.gates = wanted_output(context, 2);
    args.candidate = wanted_output(context, 3);
    WENDE_ON_DEVICE(context.device(), gru_forward(args, attributes_.direction, scratch_of(context)));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    const Expr dy = context.grad(0);
    const Expr d_last_h = context.grad(1);
    std::vector<Expr> inputs;
    if (dy.defined()) inputs.push_back(dy);
    if (d_last_h.defined()) inputs.push_back(d_last_h);
    inputs.insert(inputs.end(), {context.output(2), context.output(3), context.output(0), context.input(2),
                                 context.input(3), context.input(4)});
    if (attributes_.has_h0) inputs.push_back(context.input(5));
    const auto op = std::make_shared<const GruGradOp>(attributes_, dy.defined(), d_last_h.defined());
    const Expr dz = context.graph.add(op, inputs);
    std::vector<Expr> grads{dz};
    for (int i = 1; i < 4; ++i) grads.push_back(context.graph.output_of(dz, i));
    grads.push_back({});
    if (attributes_.has_h0) grads.push_back(context.graph.output_of(dz, 4));
    return grads;
  }

 private:
  GruAttributes attributes_;
};

}  // namespace

RecurrentState gru(Expr z_gates, Expr z_candidate, Expr w_gates, Expr w_candidate, Expr lengths, Expr h0,
                   int direction) {
  std::vector<Expr> inputs{z_gates, z_candidate, w_gates, w_candidate, lengths};
  if (h0.defined()) inputs.push_back(h0);
  const Expr y = z_gates.graph->add(std::make_shared<const GruOp>(GruAttributes{direction, h0.defined()}), inputs);
  return {y, y.graph->output_of(y, 1), {}};
}

}  // namespace wende::ops
