#include <cmath>

#include "layers/axis_order.h"
#include "layers/loss_args.h"
#include "ops/error_signal.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct CeArgs : GeneralLossArgs {
  double focal_loss_factor = 0.0;
  double label_smoothing = 0.0;
  bool label_smoothing_gaussian = false;
  Value fake_upper_bound, safe_log_opts;
  std::string input_type = "prob";
  bool debug_dump = false;
  bool use_fused = true;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("focal_loss_factor", focal_loss_factor, "multiplies by (1 - p)^factor (arXiv 1708.02002)");
    v.field("label_smoothing", label_smoothing, "share of the target that is spread over the other classes");
    v.field("label_smoothing_gaussian", label_smoothing_gaussian,
            "the smoothed target is a normal density around the label");
    v.field("fake_upper_bound", fake_upper_bound, "the value is cut there, the gradient is not");
    v.field("input_type", input_type, "\"prob\" or \"logits\": what the output is");
    v.field("debug_dump", debug_dump, "accepted; has no effect");
    v.field("safe_log_opts", safe_log_opts, "eps (1e-20) and use_fake_grad (True) of the logarithm of probabilities");
    v.field("use_fused", use_fused, "False: from probabilities even where logits are known");
  }
};

struct SafeLogArgs {
  double eps = 1e-20;
  bool use_fake_grad = true;

  template <class V>
  void fields(V& v) {
    v.field("eps", eps, "smallest number whose logarithm is taken");
    v.field("use_fake_grad", use_fake_grad, "the gradient does not see the cut");
  }
};

class CrossEntropy : public Loss {
 public:
  explicit CrossEntropy(CeArgs args) : args_(std::move(args)) {
    if (args_.input_type != "prob" && args_.input_type != "logits") {
      throw Error(ExitStatus::kConfig, "input_type is \"prob\" or \"logits\", got \"" + args_.input_type + "\"");
    }
    if (!args_.safe_log_opts.is_none()) {
      ArgsReader reader(args_.safe_log_opts);
      safe_log_.fields(reader);
      reader.finish("safe_log_opts of loss 'ce'");
    }
  }

  void check(const Data& output, const Data& target) const override {
    check_feature_sizes(output, target);
    if (!target.sparse() && (args_.focal_loss_factor != 0.0 || args_.label_smoothing != 0.0)) {
      throw Error(ExitStatus::kConfig,
                  "focal_loss_factor and label_smoothing need a sparse target, got " + target.str());
    }
  }

  LossValue build(const LossContext& context) const override {
    LossValue loss;
    const int axis = context.output.data.feature_axis;
    const std::vector<int> order = order_with_last(context.output.data.rank(), axis);
    loss.value = sum_frames(context, context.target.data.sparse() ? sparse(context, order) : dense(context, order));
    loss.error = args_.input_type == "logits" ? frame_error(context, context.output) : frame_error(context);
    return loss;
  }

 private:
  /// fake_upper_bound: the value is cut, the gradient is not.
  Expr bounded(Expr x) const {
    if (args_.fake_upper_bound.is_none()) {
      return x;
    }
    const Expr most = ops::constant(*x.graph, args_.fake_upper_bound.as_float());
    return ops::add(x, ops::stop_gradient(ops::sub(ops::binary(ops::Binary::kMinimum, x, most), x)));
  }

  /// Scores before the softmax, feature axis last; undefined where only probabilities are known.
  Expr logits(const LossContext& context, const std::vector<int>& order) const {
    if (args_.input_type == "logits") {
      return permute_if_needed(context.output.expr, order);
    }
    return context.activation_of_logits == "softmax" && args_.use_fused ? permute_if_needed(context.logits.expr, order)
                                                                        : Expr{};
  }

  Expr safe_log(Expr p) const {
    if (safe_log_.use_fake_grad && safe_log_.eps == 1e-20) {
      return ops::unary(ops::Unary::kSafeLog, p);
    }
    const Expr cut = ops::binary(ops::Binary::kMaximum, p, ops::constant(*p.graph, safe_log_.eps));
    if (!safe_log_.use_fake_grad) {
      return ops::unary(ops::Unary::kLog, cut);
    }
    return ops::unary(ops::Unary::kLog, ops::add(p, ops::stop_gradient(ops::sub(cut, p))));
  }

  /// log p of all classes from the output, feature axis last.
  Expr log_probabilities(const LossContext& context, const std::vector<int>& order) const {
    return context.activation_of_logits == "softmax" && args_.input_type == "prob" && safe_log_.eps == 1e-20
               ? ops::log_softmax(permute_if_needed(context.logits.expr, order))
               : safe_log(permute_if_needed(context.output.expr, order));
  }

  Expr sparse(const LossContext& context, const std::vector<int>& order) const {
    const Expr labels = ops::cast(aligned_target(context), DType::kInt32);
    const Expr scores = logits(context, order);
    const bool smooth = args_.label_smoothing != 0.0;
    Expr nll;
    if (scores.defined() && !smooth) {
      const bool mask_fits = context.frame_mask.defined() && context.frame_mask.rank() == labels.rank();
      nll = ops::softmax_cross_entropy(scores, labels, mask_fits ? context.frame_mask : Expr{});
    } else if (!smooth) {
      const Expr log_p = log_probabilities(context, order);
      nll = ops::unary(ops::Unary::kNeg, ops::pick_last(log_p, labels));
    } else if (args_.label_smoothing_gaussian) {
      nll = ops::add_scalar(gaussian(context, scores, labels, order), -entropy(context.output.data));
    } else {
      const Expr log_p = scores.defined() ? ops::log_softmax(scores) : log_probabilities(context, order);
      nll = smoothed(log_p, labels, entropy(context.output.data));
    }
    if (args_.focal_loss_factor != 0.0) {
      const Expr all = scores.defined() ? ops::softmax(scores) : permute_if_needed(context.output.expr, order);
      const Expr p = ops::pick_last(all, labels);
      const Expr rest = ops::add_scalar(ops::scale(p, -1.0), 1.0);
      nll = ops::mul(nll, ops::binary(ops::Binary::kPow, rest, ops::constant(*context.graph, args_.focal_loss_factor)));
    }
    return bounded(nll);
  }

  /// Of the smoothed target 1-e, e/(V-1), ...: subtracted, so that the minimum is 0.
  double entropy(const Data& output) const {
    const double e = args_.label_smoothing;
    const auto others = static_cast<double>(output.dims[static_cast<size_t>(output.feature_axis)].size() - 1);
    const double low = e / others;
    return -((1 - e) * std::log(1 - e) + others * low * std::log(low + 1e-20));
  }

  /// Target 1-e, the others e/(V-1).
  Expr smoothed(Expr log_p, Expr labels, double entropy) const {
    const double e = args_.label_smoothing;
    const double low = e / static_cast<double>(log_p.dim(-1).size() - 1);
    const Expr picked = ops::pick_last(log_p, labels);
    const Expr total = ops::reduce(ops::Reduction::kSum, log_p, {log_p.rank() - 1});
    const Expr cross = ops::add(ops::scale(picked, -(1 - e - low)), ops::scale(total, -low));
    return ops::add_scalar(cross, -entropy);
  }

  /// The target of class v is the density at v of a normal distribution around the label, deviation 1-e.
  Expr gaussian(const LossContext& context, Expr scores, Expr labels, const std::vector<int>& order) const {
    const double deviation = 1.0 - args_.label_smoothing;
    const Expr like = scores.defined() ? scores : permute_if_needed(context.output.expr, order);
    Expr classes = ops::cast(ops::range(*context.graph, like.dim(-1)), DType::kFloat32);
    while (classes.rank() < like.rank()) classes = ops::expand_dims(classes, 0);
    const Expr offset = ops::sub(classes, ops::cast(ops::expand_dims(labels, labels.rank()), DType::kFloat32));
    const Expr exponent = ops::scale(ops::unary(ops::Unary::kSquare, offset), -0.5 / (deviation * deviation));
    const double height = 1.0 / (deviation * std::sqrt(2.0 * 3.14159265358979323846));
    const Expr target = ops::scale(ops::unary(ops::Unary::kExp, exponent), height);
    return scores.defined() ? fused_dense(scores, target) : from_logs(log_probabilities(context, order), target);
  }

  /// The gradient of the scores is p - target even where the target does not sum to 1, as in TensorFlow.
  static Expr fused_dense(Expr scores, Expr target) {
    const Expr value = ops::softmax_cross_entropy_dense(ops::stop_gradient(scores), target);
    const Expr signal = ops::sub(ops::softmax(ops::stop_gradient(scores)), ops::stop_gradient(target));
    const Expr nothing = ops::stop_gradient(ops::zeros_like(ops::expand_dims(value, value.rank())));
    return ops::add(value, ops::squeeze(ops::with_error_signal(nothing, scores, signal), value.rank()));
  }

  static Expr from_logs(Expr log_p, Expr target) { return sum_classes(ops::mul(target, log_p)); }

  static Expr sum_classes(Expr products) {
    return ops::scale(ops::reduce(ops::Reduction::kSum, products, {products.rank() - 1}), -1.0);
  }

  Expr dense(const LossContext& context, const std::vector<int>& order) const {
    const Expr target = permute_if_needed(aligned_target(context), order);
    const Expr scores = logits(context, order);
    if (scores.defined()) {
      return bounded(fused_dense(scores, target));
    }
    // RETURNN bounds the products of single classes, which are below 0, here.
    return sum_classes(bounded(ops::mul(target, log_probabilities(context, order))));
  }

  CeArgs args_;
  SafeLogArgs safe_log_;
};

const RegisterLoss<CrossEntropy, CeArgs> kRegister{"ce", {}, "Cross entropy, summed over frames; fused with softmax."};

}  // namespace
}  // namespace wende
