#include "ops/ctc.h"

#include <utility>

#include "graph/device_op.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende::ops {

namespace {

/// Inputs: logits, frame lengths, labels, label lengths; outputs: loss [B], d loss / d logits.
class CtcLossOp : public DeviceOp {
 public:
  explicit CtcLossOp(cpu::CtcOptions options) : options_(options) {}
  std::string_view name() const override { return "ctc_loss"; }
  void attributes(AttributeVisitor& visitor) const override {
    visitor.field("blank", options_.blank);
    visitor.field("time_major", options_.time_major);
    visitor.field("normalize", options_.normalize);
    visitor.field("grad_wrt_softmax", options_.grad_wrt_softmax);
    visitor.field("label_loop", options_.label_loop);
    visitor.field("collapse_labels", options_.collapse_labels);
    visitor.field("viterbi", options_.viterbi);
    visitor.field("ignore_longer", options_.ignore_longer);
    visitor.field("empty_is_zero", options_.empty_is_zero);
    visitor.field("no_path", static_cast<int>(options_.no_path));
  }

  std::vector<ExprType> infer(const std::vector<ExprType>& inputs) const override {
    const ExprType& logits = inputs[0];
    if (logits.dims.size() != 3 || logits.dtype != DType::kFloat32 || inputs[2].dims.size() != 2) {
      op_error(name(), "needs float32 logits of rank 3 and labels [B,U]", inputs);
    }
    for (const size_t i : {1, 2, 3}) {
      if (inputs[i].dtype != DType::kInt32) op_error(name(), "needs int32 labels and lengths", inputs);
    }
    if (!logits.dims[options_.time_major ? 1 : 0].same_size(inputs[2].dims[0])) {
      op_error(name(), "logits and labels have different batch axes", inputs);
    }
    return {{DType::kFloat32, {inputs[2].dims[0]}}, logits};
  }

  void run(RunContext& context) const override {
    WENDE_ON_DEVICE(context.device(),
                    ctc_loss(context.input(0), context.input(1), context.input(2), context.input(3), options_,
                             context.output(0), context.output_wanted(1) ? context.output(1) : Tensor()));
  }

  std::vector<Expr> vjp(const VjpContext& context) const override {
    std::vector<Expr> grads(4);
    if (context.needed[0] && context.grad().defined()) {
      const Expr by_batch = options_.time_major ? expand_dims(expand_dims(context.grad(), 0), 2)
                                                : expand_dims(expand_dims(context.grad(), 1), 2);
      grads[0] = mul(by_batch, context.output(1));
    }
    return grads;
  }

 private:
  cpu::CtcOptions options_;
};

}  // namespace

Expr ctc_loss(Expr logits, Expr frame_lengths, Expr labels, Expr label_lengths, const cpu::CtcOptions& options) {
  return logits.graph->add(std::make_shared<const CtcLossOp>(options), {logits, frame_lengths, labels, label_lengths});
}

}  // namespace wende::ops
