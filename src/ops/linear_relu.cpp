#include "ops/linear_relu.h"

#include "graph/device_op.h"
#include "kernels/matmul.h"
#include "ops/recurrent_inputs.h"

namespace wende::ops {
namespace {

/// Inputs: x [...,K], w [K,N], bias [N] if there. Its gradient is that of the two nodes in whose place it runs.
class LinearReluOp : public DeviceOp {
 public:
  explicit LinearReluOp(bool has_bias) : has_bias_(has_bias) {}
  std::string_view name() const override { return "linear_relu"; }
  PaddingRule padding() const override {
    PaddingRule rule{.kind = PaddingRule::Kind::kFrameWise, .skips = true, .packs = true};
    if (!has_bias_) rule.zero_any = {0};
    return rule;
  }
  void attributes(AttributeVisitor& visitor) const override { visitor.field("has_bias", has_bias_); }
  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    ExprType out = inputs[0];
    out.dims.back() = inputs[1].dims[1];
    return {out};
  }
  void run(RunContext& context) const override {
    const FrameRows* frames = context.frames();
    WENDE_ON_DEVICE(context.device(),
                    linear_relu(context.input(0), context.input(1), has_bias_ ? context.input(2) : Tensor(), false,
                                frames ? &frames->rows : nullptr, scratch_of(context), context.output(0)));
  }

 private:
  bool has_bias_;
};

}  // namespace

void offer_linear_relu(Graph& graph) {
  const NodeId size = graph.size();
  for (NodeId relu = 0; relu < size; ++relu) {
    if (graph.node(relu).op->name() != "relu") continue;
    const Expr product = graph.node(relu).inputs[0];
    const std::string text = op_text(*graph.node(product.node).op);
    const bool has_bias = text == "linear{transpose_w=0,has_bias=1}";
    if (!has_bias && text != "linear{transpose_w=0,has_bias=0}") continue;
    const ScopeGuard scope(graph, graph.scope_name(graph.node(relu).scope));
    const std::vector<Expr> inputs = graph.node(product.node).inputs;
    const Expr fused = graph.add(std::make_shared<const LinearReluOp>(has_bias), inputs);
    graph.offer({fused.node, {product.node, relu}, {{Expr{&graph, relu, 0}, 0}}});
  }
}

}  // namespace wende::ops
