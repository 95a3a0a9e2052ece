#include "layers/axis_order.h"
#include "layers/loss_args.h"
#include "ops/gather.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende {
namespace {

struct DistanceArgs : GeneralLossArgs {
  template <class V>
  void fields(V& v) {
    general_fields(v);
  }
};

/// Sum over frames of a distance; the mean or the sum over features.
class DistanceLoss : public Loss {
 public:
  DistanceLoss(ops::Binary difference, ops::Unary function, bool mean_over_features)
      : difference_(difference), function_(function), mean_(mean_over_features) {}

  void check(const Data& output, const Data& target) const override {
    check_feature_sizes(output, target);
    if (target.sparse() && function_ == ops::Unary::kAbs) {
      throw Error(ExitStatus::kConfig, "this loss needs a dense target, got " + target.name + " " + target.str());
    }
  }

  LossValue build(const LossContext& context) const override {
    const Data& output = context.output.data;
    Expr target = aligned_target(context);
    if (context.target.data.sparse()) {
      const Dim& depth = output.dims[static_cast<size_t>(output.feature_axis)];
      const std::vector<int> order = order_with_last(output.rank(), output.feature_axis);
      target = permute_if_needed(ops::one_hot(target, depth), inverse_order(order));
    }
    Expr x = ops::binary(difference_, context.output.expr, target);
    if (function_ == ops::Unary::kAbs) {
      x = ops::unary(function_, x);
    }
    if (output.feature_axis >= 0) {
      x = ops::reduce(mean_ ? ops::Reduction::kMean : ops::Reduction::kSum, x, {output.feature_axis});
    }
    return {sum_frames(context, x), frame_error(context, context.output)};
  }

 private:
  ops::Binary difference_;
  ops::Unary function_;
  bool mean_;
};

class MeanSquaredError : public DistanceLoss {
 public:
  explicit MeanSquaredError(const DistanceArgs&)
      : DistanceLoss(ops::Binary::kSquaredDifference, ops::Unary::kSquare, true) {}
};

class L1 : public DistanceLoss {
 public:
  explicit L1(const DistanceArgs&) : DistanceLoss(ops::Binary::kSub, ops::Unary::kAbs, false) {}
};

class MeanL1 : public DistanceLoss {
 public:
  explicit MeanL1(const DistanceArgs&) : DistanceLoss(ops::Binary::kSub, ops::Unary::kAbs, true) {}
};

const RegisterLoss<MeanSquaredError, DistanceArgs> kRegisterMse{
    "mse", {}, "Squared error: mean over features, sum over frames."};
const RegisterLoss<L1, DistanceArgs> kRegisterL1{"l1", {}, "Absolute error, summed over features and frames."};
const RegisterLoss<MeanL1, DistanceArgs> kRegisterMeanL1{
    "mean_l1", {}, "Absolute error: mean over features, sum over frames."};

}  // namespace
}  // namespace wende
