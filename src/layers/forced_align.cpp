#include <fmt/core.h>

#include "graph/gradients.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/ctc.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ForcedAlignArgs {
  Value align_target;
  std::string topology;
  std::string input_type;
  int64_t blank_idx = -1;
  bool blank_included = false;

  template <class V>
  void fields(V& v) {
    v.field("align_target", align_target, "layer of label sequences");
    v.field("topology", topology, "\"ctc\", or \"rna\": each label is one frame long");
    v.field("input_type", input_type, "\"log_prob\" or \"prob\": what the input is");
    v.field("blank_idx", blank_idx, "class of the blank; negative counts from the end");
    v.field("blank_included", blank_included, "the blank is among the classes of align_target");
  }
};

/// The best alignment of labels to frames (Viterbi): classes [T,B]. Its log probability [B] is the sub-output "scores".
class ForcedAlignLayer : public Layer {
 public:
  explicit ForcedAlignLayer(ForcedAlignArgs args) : args_(std::move(args)) {
    if (!args_.align_target.is_string()) {
      throw args_.align_target.error("forced_align needs 'align_target': a layer, got " + args_.align_target.repr());
    }
    if (args_.topology != "ctc" && args_.topology != "rna") {
      throw Error(ExitStatus::kConfig, "forced_align: topology is \"ctc\" or \"rna\", got \"" + args_.topology + "\"");
    }
    if (args_.input_type != "log_prob" && args_.input_type != "prob") {
      throw Error(ExitStatus::kConfig,
                  "forced_align: input_type is \"log_prob\" or \"prob\", got \"" + args_.input_type + "\"");
    }
    if (!args_.blank_included && args_.blank_idx != -1) {
      throw Error(ExitStatus::kConfig, "forced_align: without blank_included the blank is the last class");
    }
  }

  std::vector<std::string> refs() const override { return {args_.align_target.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const Data& labels = context.refs.at(args_.align_target.as_string());
    if (x.rank() != 3 || !x.has_time() || !x.has_batch() || x.feature_axis < 0 || x.time_dim().is_static()) {
      throw context.options.error("forced_align needs an input with batch, time and feature, got " + x.str());
    }
    if (!labels.sparse() || labels.rank() != 2 || !labels.has_time() || !labels.has_batch()) {
      throw args_.align_target.error("forced_align needs label sequences [B,T], got " + labels.str());
    }
    const Dim& classes = x.dims[static_cast<size_t>(x.feature_axis)];
    if (classes.size() != labels.sparse_dim.size() + (args_.blank_included ? 0 : 1)) {
      throw args_.align_target.error(fmt::format("{} labels{} do not fit to the input {}", labels.sparse_dim.size(),
                                                 args_.blank_included ? "" : " and the blank", x.str()));
    }
    blank_ = args_.blank_idx < 0 ? args_.blank_idx + classes.size() : args_.blank_idx;
    if (blank_ < 0 || blank_ >= classes.size()) {
      throw context.options.error(fmt::format("blank_idx {} with {} classes", args_.blank_idx, classes.size()));
    }
    Data out;
    out.name = context.name;
    out.dims = {x.time_dim(), x.dims[static_cast<size_t>(x.batch_axis())]};
    out.time_axis = 0;
    out.dtype = DType::kInt32;
    out.sparse_dim = classes;
    return out;
  }

  /// The occupancies of the best path, the negative gradient of its loss, are 1 where it goes.
  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput x = builder.input();
    const LayerOutput labels = builder.ref(args_.align_target.as_string());
    Expr scores = permute_if_needed(x.expr, {x.data.time_axis, x.data.batch_axis(), x.data.feature_axis});
    scores = ops::stop_gradient(args_.input_type == "prob" ? ops::unary(ops::Unary::kSafeLog, scores) : scores);
    cpu::CtcOptions options;
    options.time_major = true;
    options.normalize = false;
    options.grad_wrt_softmax = false;
    options.blank = blank_;
    options.label_loop = args_.topology == "ctc";
    options.viterbi = true;
    options.empty_is_zero = false;
    const Expr symbols = ops::cast(labels.expr, DType::kInt32);
    const Expr loss = ops::ctc_loss(scores, builder.lengths(x.data.time_dim()),
                                    labels.data.batch_axis() == 0 ? symbols : ops::permute(symbols, {1, 0}),
                                    builder.lengths(labels.data.time_dim()), options);
    Data by_sequence;
    by_sequence.dims = {scores.dim(1)};
    builder.add_sub_output("scores", {by_sequence, ops::stop_gradient(ops::scale(loss, -1.0))});
    const Expr total = ops::reduce(ops::Reduction::kSum, loss, {0});
    return ops::argmin(ops::stop_gradient(gradients(total, {scores}).at(0)), 2);
  }

 private:
  ForcedAlignArgs args_;
  int64_t blank_ = 0;
};

const RegisterLayer<ForcedAlignLayer, ForcedAlignArgs> kRegister{
    "forced_align",
    {},
    "The best alignment of labels to the frames of its input.",
    {R"({"class": "forced_align", "align_target": "data:classes", "topology": "rna", "input_type": "prob", "from": "probs"})"}};

}  // namespace
}  // namespace wende
