#include "layers/loss_args.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct BinCeArgs : GeneralLossArgs {
  Value pos_weight;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("pos_weight", pos_weight, "weight of the positive class (1)");
  }
};

class BinaryCrossEntropy : public Loss {
 public:
  explicit BinaryCrossEntropy(BinCeArgs args) : args_(std::move(args)) {}

  void check(const Data& output, const Data& target) const override {
    if (target.rank() != output.rank()) {
      throw Error(ExitStatus::kConfig, "bin_ce needs a target with the axes of the output: output " + output.str() +
                                           ", target " + target.str());
    }
    const Dim& last = target.dims.back();
    const bool fits = target.sparse()
                          ? output.feature_axis == output.rank() - 1 && last.is_static() &&
                                last.size() == output.dims.back().size() &&
                                target.batch_axis() == output.batch_axis() && target.time_axis == output.time_axis
                          : true;
    if (!fits) {
      throw Error(ExitStatus::kConfig, "bin_ce needs a sparse target with the output's axes in its order: output " +
                                           output.str() + ", target " + target.str());
    }
    if (!target.sparse()) {
      check_feature_sizes(output, target);
    }
  }

  /// RETURNN takes the layer's output as logits, whatever its activation: a sigmoid layer is squashed twice.
  /// With y the target and z the output: w = 1 + (pos_weight - 1) y; (1-y) z + w softplus(-z), mean over features.
  LossValue build(const LossContext& context) const override {
    const Expr z = context.output.expr;
    // Sparse targets have 0 and 1 with all axes of the output, the last of them fixed.
    const Expr own =
        context.target.data.sparse() ? ops::reshape(context.target.expr, z.dims()) : aligned_target(context);
    const Expr y = ops::cast(own, DType::kFloat32);
    const Expr rest = ops::add_scalar(ops::scale(y, -1.0), 1.0);
    const double positive = args_.pos_weight.is_none() ? 1.0 : args_.pos_weight.as_float();
    const Expr weight = ops::add_scalar(ops::scale(y, positive - 1.0), 1.0);
    const Expr soft = ops::scale(ops::unary(ops::Unary::kLogSigmoid, z), -1.0);
    const Expr frames = mean(context, ops::add(ops::mul(rest, z), ops::mul(weight, soft)));
    const Expr guess = ops::binary(ops::Binary::kGreater, z, ops::constant(*context.graph, 0.0));
    const Expr truth = ops::binary(ops::Binary::kGreater, y, ops::constant(*context.graph, 0.5));
    const Expr wrong = ops::sub(ops::cast(guess, DType::kFloat32), ops::cast(truth, DType::kFloat32));
    return {sum_frames(context, frames), sum_frames(context, mean(context, ops::unary(ops::Unary::kAbs, wrong)))};
  }

 private:
  static Expr mean(const LossContext& context, Expr x) {
    const int axis = context.output.data.feature_axis;
    return axis < 0 ? x : ops::reduce(ops::Reduction::kMean, x, {axis});
  }

  BinCeArgs args_;
};

const RegisterLoss<BinaryCrossEntropy, BinCeArgs> kRegister{
    "bin_ce", {"sse_sigmoid"}, "Binary cross entropy on logits: mean over features, sum over frames."};

}  // namespace
}  // namespace wende
