#include <cmath>

#include "graph/device_op.h"
#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/layer_names.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende {
namespace {

using ops::Binary;

/// Identity whose gradient is scaled, shifted and clipped. Inputs: x, then scale and shift where they are layers
/// (aligned to x; no gradient flows into them).
class ScaledGradOp : public DeviceOp {
 public:
  double scale = 1.0;
  double shift = 0.0;
  bool scale_input = false;
  bool shift_input = false;
  bool shift_given = false;  ///< a scale of 0 stops the gradient only without any shift, even one of 0
  int sum_axis = -1;
  int clip_axis = -1;

  std::string_view name() const override { return "scaled_grad"; }
  void attributes(AttributeVisitor& v) const override {
    v.field("scale", scale);
    v.field("shift", shift);
    v.field("scale_input", scale_input);
    v.field("shift_input", shift_input);
    v.field("shift_given", shift_given);
    v.field("sum_axis", sum_axis);
    v.field("clip_axis", clip_axis);
  }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override { return {inputs[0]}; }
  void run(RunContext& context) const override { context.output(0).copy_from(context.input(0)); }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Expr> grads(context.node.inputs.size());
    const Expr g = context.grad();
    if (!g.defined()) {
      return grads;
    }
    if (!scale_input && scale == 0.0 && !shift_given) {
      return grads;
    }
    Expr h = scale_input ? ops::mul(g, context.input(1)) : scale == 1.0 ? g : ops::scale(g, scale);
    if (shift_input || shift != 0.0) {
      Expr b = shift_input ? context.input(scale_input ? 2 : 1) : ops::constant(context.graph, shift);
      if (sum_axis >= 0) {
        b = ops::mul(b, ops::reduce(ops::Reduction::kSum, ops::unary(ops::Unary::kAbs, g), {sum_axis}, true));
      }
      h = ops::add(h, b);
    }
    if (clip_axis >= 0) {
      const Expr m = ops::reduce(ops::Reduction::kMax, ops::unary(ops::Unary::kAbs, g), {clip_axis}, true);
      h = ops::binary(Binary::kMinimum, ops::binary(Binary::kMaximum, h, ops::unary(ops::Unary::kNeg, m)), m);
    }
    grads[0] = h;
    return grads;
  }
};

struct ScaledGradArgs {
  Value scale, shift, scale_shift_by_sum_over_axis, clip_max_axis;

  template <class V>
  void fields(V& v) {
    v.field("scale", scale, "factor of the gradient: a number or a layer");
    v.field("shift", shift, "added to the gradient: a number or a layer");
    v.field("scale_shift_by_sum_over_axis", scale_shift_by_sum_over_axis,
            "multiplies shift by the sum of |gradient| over this axis");
    v.field("clip_max_axis", clip_max_axis, "clips to the largest |gradient| along this axis");
  }
};

class ScaledGradLayer : public Layer {
 public:
  explicit ScaledGradLayer(ScaledGradArgs args) : args_(std::move(args)) {
    if (args_.scale.is_none()) {
      throw Error(ExitStatus::kConfig, "scaled_grad needs 'scale'");
    }
  }

  std::vector<std::string> refs() const override { return layer_names({&args_.scale, &args_.shift}); }

  Data out_data(const LayerContext& context) override { return concat_input_data(context.sources, context.name); }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.input();
    auto op = std::make_shared<ScaledGradOp>();
    std::vector<Expr> inputs{x.expr};
    add_factor(builder, args_.scale, x.data, op->scale, op->scale_input, inputs);
    op->shift_given = !args_.shift.is_none();
    if (op->shift_given) {
      add_factor(builder, args_.shift, x.data, op->shift, op->shift_input, inputs);
    }
    const int version = builder.context().behavior_version;
    if (!args_.scale_shift_by_sum_over_axis.is_none()) {
      op->sum_axis = axis_of_option(x.data, args_.scale_shift_by_sum_over_axis, version);
    }
    if (!args_.clip_max_axis.is_none()) {
      op->clip_axis = axis_of_option(x.data, args_.clip_max_axis, version);
    }
    return builder.graph().add(op, inputs);
  }

 private:
  static void add_factor(LayerBuilder& builder, const Value& option, const Data& layout, double& number, bool& is_input,
                         std::vector<Expr>& inputs) {
    if (!option.is_string()) {
      number = option.as_float();
      return;
    }
    is_input = true;
    inputs.push_back(align_to(builder.ref(option.as_string()), layout));
  }

  ScaledGradArgs args_;
};

const RegisterLayer<ScaledGradLayer, ScaledGradArgs> kRegister{
    "scaled_grad",
    {},
    "Passes its input on and changes the gradient: scale, shift, clip.",
    {R"({"class": "scaled_grad", "scale": -0.5, "from": "data"})",
     R"({"class": "scaled_grad", "scale": 1.0, "shift": 0.1, "clip_max_axis": "F", "from": "data"})"}};

}  // namespace
}  // namespace wende
