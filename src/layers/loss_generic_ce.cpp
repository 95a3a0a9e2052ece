#include <fmt/core.h>

#include "graph/gradients.h"
#include "layers/axis_order.h"
#include "layers/loss_args.h"
#include "ops/error_signal.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct GenericCeArgs : GeneralLossArgs {
  template <class V>
  void fields(V& v) {
    general_fields(v);
  }
};

/// -log p of the label with p = y normalised over the classes, for any activation y of z. The gradient of z is by
/// definition (d sum(log y) / d z) (p - onehot), without regard to the loss's scale: the true one only where each
/// class has an activation of its own, so not after softmax, which RETURNN takes all the same.
class GenericCrossEntropy : public Loss {
 public:
  explicit GenericCrossEntropy(const GenericCeArgs&) {}

  void check(const Data& output, const Data& target) const override {
    check_feature_sizes(output, target);
    if (!target.sparse()) {
      throw Error(ExitStatus::kConfig, "generic_ce needs a sparse target, got " + target.str());
    }
  }

  LossValue build(const LossContext& context) const override {
    if (context.activation_of_logits == "log_softmax") {
      throw Error(ExitStatus::kConfig, "generic_ce needs positive outputs, log_softmax gives their logarithms");
    }
    const std::vector<int> order = order_with_last(context.output.data.rank(), context.output.data.feature_axis);
    const Expr y = permute_if_needed(context.activated.expr, order);
    const bool activated = context.before_activation.expr.defined();
    const Expr z = activated ? context.before_activation.expr : context.activated.expr;
    const Expr log_y = ops::unary(ops::Unary::kLog, context.activated.expr);
    const Expr slope = gradients(sum_all(log_y), {z}).at(0);
    const int last = y.rank() - 1;
    const Expr p = ops::div(y, ops::reduce(ops::Reduction::kSum, y, {last}, true));
    const Expr labels = ops::cast(aligned_target(context), DType::kInt32);
    const Expr picked = ops::pick_last(p, labels);
    const Expr floor = ops::constant(*context.graph, 1e-20);
    const Expr frames =
        ops::scale(ops::unary(ops::Unary::kLog, ops::binary(ops::Binary::kMaximum, picked, floor)), -1.0);
    const Expr difference = permute_if_needed(ops::sub(p, ops::one_hot(labels, y.dim(last))), inverse_order(order));
    Expr signal = ops::mul(ops::reshape(slope, difference.dims()), difference);
    if (context.frame_mask.defined()) {
      signal = ops::where(mask_of(context, signal.rank()), signal, ops::constant(*context.graph, 0.0));
    }
    signal = ops::reshape(signal, z.dims());  // with size_target, the output has the target's time axis, z its own
    const Expr value = sum_frames(context, ops::stop_gradient(frames));
    return {ops::with_error_signal(value, z, ops::stop_gradient(signal), !context.silenced), frame_error(context)};
  }

 private:
  static Expr mask_of(const LossContext& context, int rank) {
    Expr mask = context.frame_mask;
    const Data& layout = context.output.data;
    for (int axis = 0; axis < rank; ++axis) {
      if (axis != layout.batch_axis() && axis != layout.time_axis) {
        mask = ops::expand_dims(mask, axis);
      }
    }
    return mask;
  }
};

const RegisterLoss<GenericCrossEntropy, GenericCeArgs> kRegister{
    "generic_ce", {}, "Cross entropy of any element-wise activation, normalised over the classes."};

}  // namespace
}  // namespace wende
