#include <cmath>

#include "layers/alignment.h"
#include "layers/loss_args.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct CeArgs : GeneralLossArgs {
  double focal_loss_factor = 0.0;
  double label_smoothing = 0.0;
  bool label_smoothing_gaussian = false;
  Value fake_upper_bound, input_type, safe_log_opts;
  bool debug_dump = false;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("focal_loss_factor", focal_loss_factor, "multiplies by (1 - p)^factor (arXiv 1708.02002)");
    v.field("label_smoothing", label_smoothing, "share of the target that is spread over the other classes");
    v.field("label_smoothing_gaussian", label_smoothing_gaussian, "must be False");
    v.field("fake_upper_bound", fake_upper_bound, "the value is cut there, the gradient is not");
    v.field("input_type", input_type, "None (probabilities) or \"logits\"");
    v.field("debug_dump", debug_dump, "accepted; has no effect");
    v.field("safe_log_opts", safe_log_opts, "accepted; has no effect");
  }
};

class CrossEntropy : public Loss {
 public:
  explicit CrossEntropy(CeArgs args) : args_(std::move(args)) {
    if (args_.label_smoothing_gaussian) {
      throw Error(ExitStatus::kConfig, "label_smoothing_gaussian is not supported by Wende " WENDE_VERSION);
    }
  }

  void check(const Data& output, const Data& target) const override { check_feature_sizes(output, target); }

  LossValue build(const LossContext& context) const override {
    LossValue loss;
    const int axis = context.output.data.feature_axis;
    const std::vector<int> order = order_with_last(context.output.data.rank(), axis);
    Expr frames = context.target.data.sparse() ? sparse(context, order) : dense(context, order);
    if (!args_.fake_upper_bound.is_none()) {
      const Expr cut =
          ops::binary(ops::Binary::kMinimum, frames, ops::constant(*context.graph, args_.fake_upper_bound.as_float()));
      frames = ops::add(frames, ops::stop_gradient(ops::sub(cut, frames)));
    }
    loss.frame_values = frames;
    loss.value = sum_frames(context, frames);
    loss.error = frame_error(context);
    return loss;
  }

 private:
  bool has_logits(const LossContext& context) const {
    return context.logits.expr.defined() &&
           (context.activation_of_logits == "softmax" || context.activation_of_logits == "log_softmax");
  }
  bool output_is_logits() const { return args_.input_type.is_string() && args_.input_type.as_string() == "logits"; }

  Expr logits(const LossContext& context, const std::vector<int>& order) const {
    if (output_is_logits()) {
      return permute_if_needed(context.output.expr, order);
    }
    return has_logits(context) ? permute_if_needed(context.logits.expr, order) : Expr{};
  }

  /// log max(p, 1e-20) of the activated output, feature axis last.
  static Expr safe_log(const LossContext& context, const std::vector<int>& order) {
    const Expr p = permute_if_needed(context.output.expr, order);
    return ops::unary(ops::Unary::kLog, ops::binary(ops::Binary::kMaximum, p, ops::constant(*context.graph, 1e-20)));
  }

  Expr sparse(const LossContext& context, const std::vector<int>& order) const {
    const Expr labels = ops::cast(aligned_target(context), DType::kInt32);
    const Expr scores = logits(context, order);
    Expr nll;
    if (scores.defined() && args_.label_smoothing == 0.0) {
      const bool mask_fits = context.frame_mask.defined() && context.frame_mask.rank() == labels.rank();
      nll = ops::softmax_cross_entropy(scores, labels, mask_fits ? context.frame_mask : Expr{});
    } else {
      const Expr log_p = scores.defined() ? ops::log_softmax(scores) : safe_log(context, order);
      nll = args_.label_smoothing == 0.0 ? ops::unary(ops::Unary::kNeg, ops::pick_last(log_p, labels))
                                         : smoothed(log_p, labels);
    }
    if (args_.focal_loss_factor != 0.0) {
      const Expr all = scores.defined() ? ops::softmax(scores) : permute_if_needed(context.output.expr, order);
      const Expr p = ops::pick_last(all, labels);
      const Expr rest = ops::add_scalar(ops::scale(p, -1.0), 1.0);
      nll = ops::mul(nll, ops::binary(ops::Binary::kPow, rest, ops::constant(*context.graph, args_.focal_loss_factor)));
    }
    return nll;
  }

  /// Target 1-e, the others e/(V-1); less the entropy of that distribution, so that the minimum is 0.
  Expr smoothed(Expr log_p, Expr labels) const {
    const double e = args_.label_smoothing;
    const auto others = static_cast<double>(log_p.dim(-1).size() - 1);
    const double low = e / others;
    const Expr picked = ops::pick_last(log_p, labels);
    const Expr total = ops::reduce(ops::Reduction::kSum, log_p, {log_p.rank() - 1});
    const double entropy = -((1 - e) * std::log(1 - e) + others * low * std::log(low + 1e-20));
    const Expr cross = ops::add(ops::scale(picked, -(1 - e - low)), ops::scale(total, -low));
    return ops::add_scalar(cross, -entropy);
  }

  Expr dense(const LossContext& context, const std::vector<int>& order) const {
    const Expr target = permute_if_needed(aligned_target(context), order);
    const Expr scores = logits(context, order);
    if (scores.defined()) {
      return ops::softmax_cross_entropy_dense(scores, target);
    }
    const Expr product = ops::mul(target, safe_log(context, order));
    return ops::scale(ops::reduce(ops::Reduction::kSum, product, {product.rank() - 1}), -1.0);
  }

  CeArgs args_;
};

const RegisterLoss<CrossEntropy, CeArgs> kRegister{"ce", {}, "Cross entropy, summed over frames; fused with softmax."};

}  // namespace
}  // namespace wende
