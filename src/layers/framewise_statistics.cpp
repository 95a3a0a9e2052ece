#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct FramewiseStatisticsArgs {
  Value sil_label_idx;
  int64_t histogram_num_bins = 20;

  template <class V>
  void fields(V& v) {
    v.field("sil_label_idx", sil_label_idx,
            "label of silence: statistics are given for all frames, with and without it");
    v.field("histogram_num_bins", histogram_num_bins, "bins of the probability of the true label");
  }
};

Expr sum(Expr x, int first_axis = 0) {
  std::vector<int> axes;
  for (int axis = first_axis; axis < x.rank(); ++axis) {
    axes.push_back(axis);
  }
  return axes.empty() ? x : ops::reduce(ops::Reduction::kSum, x, axes);
}

/// Frames are compared by their place: the target's lengths are those of the output, whatever its dim is called.
LayerOutput with_time(LayerOutput target, const Dim& time) {
  if (target.data.has_time() && !(target.data.time_dim() == time)) {
    target.data.dims[static_cast<size_t>(target.data.time_axis)] = time;
    target.expr = ops::reshape(target.expr, target.data.dims);
  }
  return target;
}

/// Sums over frames of the source's softmax against its target. The engine divides, accumulates and prints them.
class FramewiseStatisticsLayer : public Layer {
 public:
  explicit FramewiseStatisticsLayer(FramewiseStatisticsArgs args) : args_(std::move(args)) {
    if (args_.sil_label_idx.is_none()) {
      throw Error(ExitStatus::kConfig, "framewise_statistics needs 'sil_label_idx'");
    }
    if (args_.histogram_num_bins < 1) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("histogram_num_bins must be at least 1, got {}", args_.histogram_num_bins));
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.empty()) {
      throw context.options.error("framewise_statistics needs an input: a softmax layer with a target");
    }
    const Data& source = context.sources[0];
    if (const int64_t label = args_.sil_label_idx.as_int();
        source.feature_axis >= 0 && (label < 0 || label >= source.feature_or_sparse_dim().size())) {
      throw args_.sil_label_idx.error(fmt::format("sil_label_idx {} is no label: the input has {} classes", label,
                                                  source.feature_or_sparse_dim().size()));
    }
    Data out;
    out.name = context.name;
    out.dtype = DType::kInt32;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    Graph& graph = builder.graph();
    const Expr dummy = ops::int_constant(graph, 0);
    const LayerOutput logits = builder.source_sub_output(0, "logits:softmax");
    const LayerOutput output = builder.source(0);
    if (!logits.expr.defined() || !output.data.has_time() || !output.data.has_batch()) {
      throw builder.context().options.error(
          "framewise_statistics needs a layer with softmax activation as input, got " + output.data.str());
    }
    const LayerOutput target = builder.source_sub_output(0, "target");
    if (!target.expr.defined() || !target.data.sparse()) {
      throw builder.context().options.error("framewise_statistics needs an input with a sparse target");
    }
    const std::vector<int> order = order_with_last(output.data.rank(), output.data.feature_axis);
    const Data frames = output.data.permuted(order).without_axis(output.data.rank() - 1);
    const Expr labels = ops::cast(align_to(with_time(target, frames.time_dim()), frames), DType::kInt32);
    const Expr scores = permute_if_needed(logits.expr, order);
    const Expr p = ops::pick_last(permute_if_needed(output.expr, order), labels);
    const Expr valid = builder.mask(frames.time_dim(), frames.time_axis < frames.batch_axis());
    const Expr guess = ops::argmax(scores, scores.rank() - 1);
    const Expr wrong = ops::cast(ops::binary(ops::Binary::kNotEqual, guess, labels), DType::kFloat32);
    const Expr sil = ops::binary(ops::Binary::kEqual, labels, ops::int_constant(graph, args_.sil_label_idx.as_int()));
    const std::vector<std::pair<std::string, Expr>> subsets{
        {"", valid},
        {"_sil", ops::binary(ops::Binary::kLogicalAnd, valid, sil)},
        {"_no_sil", ops::binary(ops::Binary::kLogicalAnd, valid, ops::unary(ops::Unary::kLogicalNot, sil))}};
    const Expr ce = ops::softmax_cross_entropy(scores, labels, valid);
    for (const auto& [suffix, mask] : subsets) {
      add(builder, suffix, mask, ce, wrong, histogram(graph, p));
    }
    return dummy;
  }

 private:
  /// One-hot bins: the frame's probability times N, rounded half to even, in [0,N).
  Expr histogram(Graph& graph, Expr p) const {
    const auto bins = static_cast<double>(args_.histogram_num_bins);
    const Expr index = ops::cast(ops::unary(ops::Unary::kRound, ops::scale(p, bins)), DType::kInt32);
    const Expr low = ops::int_constant(graph, 0);
    const Expr high = ops::constant(graph, bins - 1.0, DType::kInt32);
    const Expr clipped = ops::binary(ops::Binary::kMinimum, ops::binary(ops::Binary::kMaximum, index, low), high);
    return ops::one_hot(clipped, Dim::fixed(args_.histogram_num_bins));
  }

  static void add(LayerBuilder& builder, const std::string& suffix, Expr mask, Expr ce, Expr wrong, Expr bins) {
    const std::string layer = builder.context().absolute_name + ":";
    const Expr zero = ops::constant(builder.graph(), 0.0);
    const auto masked = [&](Expr x) { return ops::where(mask, x, zero); };
    const Expr count = sum(ops::cast(mask, DType::kFloat32));
    const Expr in_bins = ops::where(ops::expand_dims(mask, mask.rank()), bins, zero);
    builder.add_stat({layer + "seq_length" + suffix, count, {}});
    builder.add_stat({layer + "loss_ce" + suffix, sum(masked(ce)), count});
    builder.add_stat({layer + "loss_perplexity" + suffix, sum(masked(ce)), count});
    builder.add_stat({layer + "frame_error" + suffix, sum(masked(wrong)), count});
    builder.add_stat({layer + "true_label_prob_histogram" + suffix,
                      ops::reduce(ops::Reduction::kSum, in_bins, leading_axes(in_bins)), count});
  }

  static std::vector<int> leading_axes(Expr x) {
    std::vector<int> axes;
    for (int axis = 0; axis + 1 < x.rank(); ++axis) {
      axes.push_back(axis);
    }
    return axes;
  }

  FramewiseStatisticsArgs args_;
};

const RegisterLayer<FramewiseStatisticsLayer, FramewiseStatisticsArgs> kRegister{
    "framewise_statistics",
    {},
    "Cross entropy, frame errors and a histogram of the true label's probability, over all frames and by silence.",
    {R"({"class": "framewise_statistics", "sil_label_idx": 0, "from": "probs", "is_output_layer": True})"}};

}  // namespace
}  // namespace wende
