#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/loss_args.h"
#include "ops/error_signal.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ViaLayerArgs : GeneralLossArgs {
  Value error_signal_layer, align_layer, loss_wrt_to_act_in;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("error_signal_layer", error_signal_layer, "layer whose output is the gradient and that has a loss");
    v.field("align_layer", align_layer, "layer with a loss; the gradient is output - alignment");
    v.field("loss_wrt_to_act_in", loss_wrt_to_act_in,
            "the gradient is that of the activation's input; True or its name");
  }
};

/// The loss of another layer (fast_bw) with a gradient that is given, not derived.
class ViaLayerLoss : public Loss {
 public:
  explicit ViaLayerLoss(ViaLayerArgs args) : args_(std::move(args)) {
    if (args_.error_signal_layer.is_none() == args_.align_layer.is_none()) {
      throw Error(ExitStatus::kConfig, "via_layer needs exactly one of error_signal_layer and align_layer");
    }
  }

  bool needs_target() const override { return false; }
  bool recurrent() const override { return true; }
  std::vector<std::string> refs() const override { return {layer_name()}; }
  void check(const Data& output, const Data& target) const override { check_feature_sizes(output, target); }

  LossValue build(const LossContext& context) const override {
    const auto loss = context.output_losses.find(layer_name());
    if (loss == context.output_losses.end()) {
      throw Error(ExitStatus::kConfig, fmt::format("via_layer: layer '{}' has no loss of its own", layer_name()))
          .hint("a fast_bw layer has one");
    }
    const Data& output = context.output.data;
    Expr signal = align_to(context.refs.at(layer_name()), output);
    if (args_.error_signal_layer.is_none()) {
      signal = ops::sub(context.output.expr, signal);
    }
    if (context.frame_mask.defined()) {
      signal = ops::where(ops::expand_dims(context.frame_mask, output.feature_axis), signal,
                          ops::constant(*context.graph, 0.0));
    }
    Expr x = context.output.expr;
    if (const Value& wrt = args_.loss_wrt_to_act_in; wrt.is_string() || (!wrt.is_none() && wrt.as_bool())) {
      if (!context.before_activation.expr.defined()) {
        throw wrt.error("loss_wrt_to_act_in: the layer has no activation");
      }
      if (wrt.is_string() && wrt.as_string() != context.activation_of_logits) {
        throw wrt.error(fmt::format("loss_wrt_to_act_in: the activation is not {}", wrt.as_string()));
      }
      x = context.before_activation.expr;
    }
    const Expr value = ops::with_error_signal(by_frames(loss->second, output), x, ops::stop_gradient(signal));
    return {sum_all(value), frame_error(context)};
  }

 private:
  const std::string& layer_name() const {
    return (args_.align_layer.is_none() ? args_.error_signal_layer : args_.align_layer).as_string();
  }

  /// A loss [B] with the axes of the output, of size 1 but for the batch.
  static Expr by_frames(Expr loss, const Data& output) {
    if (loss.rank() == 1) {
      for (int axis = 0; axis < output.rank(); ++axis) {
        if (axis != output.batch_axis()) loss = ops::expand_dims(loss, axis);
      }
    }
    while (loss.rank() > 0 && loss.rank() < output.rank()) loss = ops::expand_dims(loss, loss.rank());
    return loss;
  }

  ViaLayerArgs args_;
};

const RegisterLoss<ViaLayerLoss, ViaLayerArgs> kRegister{
    "via_layer", {}, "Loss and gradient as another layer defines them."};

}  // namespace
}  // namespace wende
