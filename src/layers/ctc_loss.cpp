#include <fmt/core.h>

#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/ctc.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct CtcLossArgs {
  Value logits, targets;
  bool logits_normalized = false;
  int64_t blank_index = -1;
  bool max_approx = false;
  bool label_loop = true;

  template <class V>
  void fields(V& v) {
    v.field("logits", logits, "layer of scores before the softmax, [B,T,F]");
    v.field("targets", targets, "layer of labels, sparse [B,T]");
    v.field("logits_normalized", logits_normalized, "the scores are log probabilities already");
    v.field("blank_index", blank_index, "class of the blank; negative counts from the end");
    v.field("max_approx", max_approx, "best path instead of the sum of all");
    v.field("label_loop", label_loop, "a label may last several frames");
  }
};

/// The CTC loss of each sequence, [B], for `"loss": "as_is"`.
class CtcLossLayer : public Layer {
 public:
  explicit CtcLossLayer(CtcLossArgs args) : args_(std::move(args)) {
    if (!args_.logits.is_string() || !args_.targets.is_string()) {
      throw Error(ExitStatus::kConfig, "ctc_loss needs 'logits' and 'targets': names of layers");
    }
  }

  std::vector<std::string> refs() const override { return {args_.logits.as_string(), args_.targets.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& logits = context.refs.at(args_.logits.as_string());
    const Data& targets = context.refs.at(args_.targets.as_string());
    if (logits.rank() != 3 || !logits.has_time() || !logits.has_batch() || logits.feature_axis < 0) {
      throw args_.logits.error("ctc_loss needs logits with batch, time and feature, got " + logits.str());
    }
    if (!targets.sparse() || targets.rank() != 2 || !targets.has_time() || !targets.has_batch()) {
      throw args_.targets.error("ctc_loss needs sparse targets [B,T], got " + targets.str());
    }
    const int64_t classes = logits.dims[static_cast<size_t>(logits.feature_axis)].size();
    if (const int64_t labels = targets.sparse_dim.size(); labels != classes && labels != classes - 1) {
      throw args_.targets.error(fmt::format("{} classes of logits do not fit {} labels", classes, labels));
    }
    if (args_.blank_index >= classes || args_.blank_index < -classes) {
      throw context.options.error(fmt::format("blank_index {} with {} classes", args_.blank_index, classes));
    }
    Data out;
    out.name = context.name;
    out.dims = {logits.dims[static_cast<size_t>(logits.batch_axis())]};
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput logits = builder.ref(args_.logits.as_string());
    const LayerOutput targets = builder.ref(args_.targets.as_string());
    const std::vector<int> order = order_with_last(3, logits.data.feature_axis);
    const Data layout = logits.data.permuted(order);
    cpu::CtcOptions options;
    options.time_major = layout.time_axis < layout.batch_axis();
    options.blank = args_.blank_index < 0 ? args_.blank_index + layout.dims[2].size() : args_.blank_index;
    options.normalize = !args_.logits_normalized;
    options.grad_wrt_softmax = !args_.logits_normalized;
    options.label_loop = args_.label_loop;
    options.viterbi = args_.max_approx;
    options.empty_is_zero = false;
    if (!args_.max_approx) options.no_path = cpu::CtcNoPath::kZeroLoss;
    if (builder.context().behavior_version >= 30) options.no_path = cpu::CtcNoPath::kZeroInfinity;
    const Expr labels = ops::cast(targets.expr, DType::kInt32);
    return ops::ctc_loss(permute_if_needed(logits.expr, order), builder.lengths(layout.time_dim()),
                         targets.data.batch_axis() == 0 ? labels : ops::permute(labels, {1, 0}),
                         builder.lengths(targets.data.time_dim()), options);
  }

 private:
  CtcLossArgs args_;
};

const RegisterLayer<CtcLossLayer, CtcLossArgs> kRegister{
    "ctc_loss",
    {},
    "Connectionist temporal classification: -log p of the targets, one number per sequence.",
    {R"({"class": "ctc_loss", "logits": "probs", "targets": "data:classes", "label_loop": False, "from": []})"}};

}  // namespace
}  // namespace wende
