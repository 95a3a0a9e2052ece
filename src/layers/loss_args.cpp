#include "layers/loss_args.h"

#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_order.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {

void check_feature_sizes(const Data& output, const Data& target) {
  const Dim a = output.feature_or_sparse_dim();
  const Dim b = target.feature_or_sparse_dim();
  if (a.defined() && b.defined() && a.is_static() && b.is_static() && a.size() != b.size()) {
    throw Error(ExitStatus::kConfig,
                fmt::format("expected output dim is {} but the output has dim {}: target {} {}, output {} {}", b.size(),
                            a.size(), target.name, target.str(), output.name, output.str()));
  }
}

Data frame_layout(const Data& output) {
  return output.feature_axis < 0 ? output : output.without_axis(output.feature_axis);
}

Expr sum_frames(const LossContext& context, Expr frame_values) {
  Expr x = ops::cast(frame_values, DType::kFloat32);
  if (context.frame_mask.defined() && x.rank() >= context.frame_mask.rank()) {
    Expr mask = context.frame_mask;
    const Data layout =
        x.rank() == context.output.data.rank() ? context.output.data : frame_layout(context.output.data);
    for (int axis = 0; axis < layout.rank() && mask.rank() < x.rank(); ++axis) {
      if (axis != layout.batch_axis() && axis != layout.time_axis) {
        mask = ops::expand_dims(mask, axis);
      }
    }
    x = ops::where(mask, x, ops::constant(*x.graph, 0.0));
  }
  return sum_all(x);
}

Expr scores_of(const LossContext& context) {
  const std::vector<int> order = order_with_last(context.output.data.rank(), context.output.data.feature_axis);
  if (context.activation_of_logits == "softmax" || context.activation_of_logits == "exp") {
    return permute_if_needed(context.logits.expr, order);
  }
  return ops::unary(ops::Unary::kSafeLog, permute_if_needed(context.activated.expr, order));
}

Expr labels_batch_major(const LossContext& context) {
  const Data& data = context.target.data;
  const Expr labels = ops::cast(context.target.expr, DType::kInt32);
  return data.batch_axis() == 0 ? labels : ops::permute(labels, {1, 0});
}

Expr aligned_target(const LossContext& context) {
  const Data& output = context.output.data;
  return align_to(context.target, context.target.data.sparse() ? frame_layout(output) : output);
}

Expr frame_error(const LossContext& context) {
  return context.activation_of_logits == "softmax" ? frame_error(context, context.logits)
                                                   : frame_error(context, context.output);
}

Expr frame_error(const LossContext& context, const LayerOutput& scores) {
  const Data& output = context.output.data;
  if (output.feature_axis < 0 || !context.target.expr.defined()) {
    return {};
  }
  const Expr guess = ops::argmax(scores.expr, scores.data.feature_axis);
  const Expr target = aligned_target(context);
  const Expr truth =
      context.target.data.sparse() ? ops::cast(target, DType::kInt32) : ops::argmax(target, output.feature_axis);
  return sum_frames(context, ops::binary(ops::Binary::kNotEqual, guess, truth));
}

}  // namespace wende
