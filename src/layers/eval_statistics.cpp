#include "config/args.h"
#include "layers/eval_call.h"
#include "ops/cumsum.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

using ops::Binary;
using ops::Reduction;
using ops::Unary;

Expr mean_of_squares(Expr x, const std::vector<int>& axes, bool keep) {
  const Expr distance = ops::sub(x, ops::reduce(Reduction::kMean, x, axes, true));
  return ops::reduce(Reduction::kMean, ops::mul(distance, distance), axes, keep);
}

Value variance(const Call& call) {
  return traced(mean_of_squares(call.tensor(), reduced_axes(call, 1), call.flag(2, {"keepdims", "keep_dims"})));
}

Value standard_deviation(const Call& call) {
  return traced(ops::unary(Unary::kSqrt, traced_expr(call.graph, variance(call))));
}

Value moments(const Call& call) {
  const std::vector<int> axes = reduced_axes(call, 1);
  const bool keep = call.flag(3, {"keepdims", "keep_dims"});
  return Value::list({traced(ops::reduce(Reduction::kMean, call.tensor(), axes, keep)),
                      traced(mean_of_squares(call.tensor(), axes, keep))},
                     Value::Kind::kTuple);
}

Value euclidean_norm(const Call& call, size_t axis_position) {
  const Expr x = call.tensor();
  const bool keep = call.flag(axis_position + 1, {"keepdims", "keep_dims"});
  return traced(
      ops::unary(Unary::kSqrt, ops::reduce(Reduction::kSum, ops::mul(x, x), reduced_axes(call, axis_position), keep)));
}

/// tf.norm(x, ord="euclidean", axis).
Value norm(const Call& call) {
  const Value* order = call.find(1, {"ord"});
  const bool two = order == nullptr || (order->is_string() && order->as_string() == "euclidean") ||
                   (order->is_number() && order->as_float() == 2.0);
  if (!two) {
    throw order->error("tf.norm is supported for the euclidean norm").hint("use a 'math_norm' layer");
  }
  return euclidean_norm(call, 2);
}

Value l2_normalize(const Call& call) {
  const Expr x = call.tensor();
  const Value* epsilon = call.find(2, {"epsilon"});
  const Expr sum = ops::reduce(Reduction::kSum, ops::mul(x, x), reduced_axes(call, 1), true);
  const Expr least = ops::constant(call.graph, epsilon == nullptr ? 1e-12 : epsilon->as_float(), x.dtype());
  return traced(ops::mul(x, ops::unary(Unary::kRsqrt, ops::binary(Binary::kMaximum, sum, least))));
}

Value l2_loss(const Call& call) {
  const Expr x = traced_expr(call.graph, call.get(0, {"t"}));
  return traced(ops::scale(ops::sum_all(ops::mul(x, x)), 0.5));
}

/// x / max(sum |x|, eps) along an axis, with the gradient as if nothing were clipped.
Expr l1_normalized(const Call& call, Expr x, double fallback_eps) {
  const Value* eps = call.find(2, {"eps"});
  const Expr sum = ops::reduce(Reduction::kSum, x, {call.axis(1, x.rank(), -1)}, true);
  const Expr least = ops::constant(call.graph, eps == nullptr ? fallback_eps : eps->as_float(), x.dtype());
  return ops::div(x, traced_binary("maximum_with_identity_grad", sum, least));
}

Value count_nonzero(const Call& call) {
  const Expr x = call.tensor();
  const Expr counts = ops::binary(Binary::kNotEqual, x, ops::zeros_like(x));
  const bool keep = call.flag(2, {"keepdims", "keep_dims"});
  return traced(ops::reduce(Reduction::kSum, ops::cast(counts, DType::kInt32), reduced_axes(call, 1), keep));
}

Value zero_fraction(const Call& call) {
  const Expr x = traced_expr(call.graph, call.get(0, {"value"}));
  const Expr hits = ops::cast(ops::binary(Binary::kEqual, x, ops::zeros_like(x)), DType::kFloat32);
  return traced(ops::reduce(Reduction::kMean, hits, ops::all_axes(hits)));
}

Value cumulative_sum(const Call& call) {
  const Expr x = call.tensor();
  const Expr sum = ops::cumsum(x, call.axis(1, x.rank(), 0), call.flag(3, {"reverse"}));
  return traced(call.flag(2, {"exclusive"}) ? ops::sub(sum, x) : sum);
}

/// x, with its gradient times a number.
Value scaled_gradient(const Call& call, double sign) {
  const Expr x = call.tensor();
  const Value* scale = call.find(1, {"scale"});
  const Expr scaled = ops::scale(x, sign * (scale == nullptr ? 1.0 : scale->as_float()));
  return traced(ops::add(scaled, ops::stop_gradient(ops::sub(x, scaled))));
}

/// Labels and logits go by name: TensorFlow 1 allows nothing else.
Expr labels_of(const Call& call) { return traced_expr(call.graph, call.get(1, {"labels", "targets"})); }
Expr logits_of(const Call& call) { return traced_expr(call.graph, call.get(2, {"logits"})); }

Value sigmoid_cross_entropy(const Call& call) {
  const Expr logits = logits_of(call);
  return traced(ops::sub(ops::unary(Unary::kSoftplus, logits), traced_binary("mul", logits, labels_of(call))));
}

Value softmax_cross_entropy(const Call& call, Expr labels) {
  const Expr logits = logits_of(call);
  const int last = logits.rank() - 1;
  const Expr all = traced_binary("mul", labels, ops::log_softmax(logits, last));
  return traced(ops::scale(ops::reduce(Reduction::kSum, all, {last}), -1.0));
}

Value sparse_cross_entropy(const Call& call) {
  const Expr logits = logits_of(call);
  return softmax_cross_entropy(call,
                               ops::one_hot(ops::cast(labels_of(call), DType::kInt32), logits.dim(logits.rank() - 1)));
}

}  // namespace

std::vector<int> axes_in(const Value& axes, int rank) {
  std::vector<int64_t> given;
  read_value(axes, given);
  std::vector<int> result;
  for (const int64_t i : given) {
    result.push_back(static_cast<int>(i < 0 ? i + rank : i));
  }
  return result;
}

std::vector<int> reduced_axes(const Call& call, size_t position) {
  const Value* axis = call.find(position, {"axis", "axes", "reduction_indices", "dim"});
  const Expr x = call.tensor();
  return axis == nullptr || axis->is_none() ? ops::all_axes(x) : axes_in(*axis, x.rank());
}

TracedFunctions statistics_functions() {
  return {
      {"reduce_variance", variance},
      {"reduce_std", standard_deviation},
      {"reduce_euclidean_norm", [](const Call& c) { return euclidean_norm(c, 1); }},
      {"norm", norm},
      {"moments", moments},
      {"l2_normalize", l2_normalize},
      {"l2_loss", l2_loss},
      {"l1_normalized",
       [](const Call& c) { return traced(l1_normalized(c, ops::unary(Unary::kAbs, c.tensor()), 1e-20)); }},
      {"lin_exp_normed",
       [](const Call& c) { return traced(l1_normalized(c, traced_unary("lin_exp", c.tensor()), 1e-10)); }},
      {"count_nonzero", count_nonzero},
      {"zero_fraction", zero_fraction},
      {"cumsum", cumulative_sum},
      {"scaled_gradient", [](const Call& c) { return scaled_gradient(c, 1.0); }},
      {"flip_gradient", [](const Call& c) { return scaled_gradient(c, -1.0); }},
      {"sigmoid_cross_entropy_with_logits", sigmoid_cross_entropy},
      {"softmax_cross_entropy_with_logits", [](const Call& c) { return softmax_cross_entropy(c, labels_of(c)); }},
      {"softmax_cross_entropy_with_logits_v2", [](const Call& c) { return softmax_cross_entropy(c, labels_of(c)); }},
      {"sparse_softmax_cross_entropy_with_logits", sparse_cross_entropy}};
}

}  // namespace wende
