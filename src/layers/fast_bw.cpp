#include <fmt/core.h>

#include <cmath>

#include "graph/gradients.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/ctc.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct FastBwArgs {
  std::string align_target;
  Value align_target_key, ctc_opts, sprint_opts, tdp_scale, staircase_seq_len_source;
  std::string input_type = "log_prob";
  double am_scale = 1.0;
  double min_prob = 0.0;

  template <class V>
  void fields(V& v) {
    v.field("align_target", align_target, "\"ctc\"; \"sprint\" and \"staircase\" are refused");
    v.field("align_target_key", align_target_key, "data key of the labels");
    v.field("ctc_opts", ctc_opts, "dict: blank_idx (default: the last class), label_loop = ctc_merge_repeated (True)");
    v.field("sprint_opts", sprint_opts, "of align_target \"sprint\", which is refused");
    v.field("input_type", input_type, "\"log_prob\" or \"prob\": what the input is");
    v.field("tdp_scale", tdp_scale, "of align_target \"sprint\"");
    v.field("am_scale", am_scale, "factor of the log probabilities");
    v.field("min_prob", min_prob, "smaller probabilities count as this");
    v.field("staircase_seq_len_source", staircase_seq_len_source, "of align_target \"staircase\"");
  }
};

struct FsaArgs {
  Value blank_idx, label_loop, ctc_merge_repeated;

  template <class V>
  void fields(V& v) {
    v.field("blank_idx", blank_idx, "class of the blank");
    v.field("label_loop", label_loop, "a label may last several frames");
    v.field("ctc_merge_repeated", ctc_merge_repeated, "the same");
  }
};

/// Occupancies [T,B,F] of CTC's states, summed over all alignments; the loss [B] is the sub-output "output_loss".
class FastBwLayer : public Layer {
 public:
  explicit FastBwLayer(FastBwArgs args) : args_(std::move(args)) {
    if (args_.align_target != "ctc") {
      throw Error(ExitStatus::kConfig, fmt::format("fast_bw with align_target '{}' is not supported by Wende "
                                                   "" WENDE_VERSION "; supported: \"ctc\"",
                                                   args_.align_target));
    }
    if (!args_.align_target_key.is_string()) {
      throw Error(ExitStatus::kConfig, "fast_bw needs 'align_target_key': the data key of the labels");
    }
    if (args_.input_type != "log_prob" && args_.input_type != "prob") {
      throw Error(ExitStatus::kConfig, "input_type is \"log_prob\" or \"prob\", got \"" + args_.input_type + "\"");
    }
    if (args_.min_prob < 0 || args_.min_prob > 1) {
      throw Error(ExitStatus::kConfig, "min_prob is a probability");
    }
    if (!args_.ctc_opts.is_none()) {
      ArgsReader reader(args_.ctc_opts);
      fsa_.fields(reader);
      reader.finish("ctc_opts of fast_bw");
    }
  }

  std::vector<std::string> refs() const override { return {labels_name()}; }

  Data out_data(const LayerContext& context) override {
    Data input = concat_input_data(context.sources, context.name);
    const Data& labels = context.refs.at(labels_name());
    if (input.rank() != 3 || !input.has_time() || !input.has_batch() || input.feature_axis < 0) {
      throw context.options.error("fast_bw needs an input with batch, time and feature, got " + input.str());
    }
    if (!labels.sparse() || labels.rank() != 2 || !labels.has_time() || !labels.has_batch()) {
      throw args_.align_target_key.error("fast_bw needs label sequences, got " + labels.str());
    }
    const int64_t classes = input.dims[static_cast<size_t>(input.feature_axis)].size();
    if (classes != labels.sparse_dim.size() + 1) {
      throw context.options.error(fmt::format("fast_bw needs one class more than the {} labels, for the blank, got {}",
                                              labels.sparse_dim.size(), input.str()));
    }
    if (blank(classes) < 0 || blank(classes) >= classes) {
      throw fsa_.blank_idx.error(fmt::format("blank_idx {} is outside of [0,{})", blank(classes), classes));
    }
    Data out = input.permuted(time_major(input));
    out.dtype = DType::kFloat32;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput input = builder.input();
    const LayerOutput labels = builder.ref(labels_name());
    const Expr scores =
        ops::stop_gradient(permute_if_needed(log_probabilities(builder, input), time_major(input.data)));
    cpu::CtcOptions options;
    options.time_major = true;
    options.normalize = false;
    options.grad_wrt_softmax = false;
    options.blank = blank(scores.dim(2).size());
    const Value& loop = fsa_.label_loop.is_none() ? fsa_.ctc_merge_repeated : fsa_.label_loop;
    options.label_loop = loop.is_none() || loop.as_bool();
    options.empty_is_zero = false;
    options.no_path = cpu::CtcNoPath::kZeroLoss;
    const Expr symbols = ops::cast(labels.expr, DType::kInt32);
    const Expr loss = ops::ctc_loss(scores, builder.lengths(input.data.time_dim()),
                                    labels.data.batch_axis() == 0 ? symbols : ops::permute(symbols, {1, 0}),
                                    builder.lengths(labels.data.time_dim()), options);
    Data by_sequence;
    by_sequence.name = builder.context().name + "/output_loss";
    by_sequence.dims = {scores.dim(1)};
    builder.add_sub_output("output_loss", {by_sequence, ops::stop_gradient(loss)});
    const Expr total = ops::reduce(ops::Reduction::kSum, loss, {0});
    return ops::stop_gradient(ops::scale(gradients(total, {scores}).at(0), -1.0));
  }

 private:
  std::string labels_name() const { return "data:" + args_.align_target_key.as_string(); }
  int64_t blank(int64_t classes) const { return fsa_.blank_idx.is_none() ? classes - 1 : fsa_.blank_idx.as_int(); }
  static std::vector<int> time_major(const Data& data) {
    return {data.time_axis, data.batch_axis(), data.feature_axis};
  }

  /// In the layout of the input.
  Expr log_probabilities(const LayerBuilder& builder, const LayerOutput& input) const {
    Expr x = input.expr;
    if (args_.input_type == "prob") {
      const LayerOutput logits =
          builder.source_count() == 1 ? builder.source_sub_output(0, "logits:softmax") : LayerOutput{};
      const std::vector<int> order = order_with_last(input.data.rank(), input.data.feature_axis);
      x = logits.expr.defined()
              ? permute_if_needed(ops::log_softmax(permute_if_needed(logits.expr, order)), inverse_order(order))
              : ops::unary(ops::Unary::kSafeLog, x);
    }
    if (args_.min_prob > 0) {
      x = ops::binary(ops::Binary::kMaximum, x, ops::constant(*x.graph, std::log(args_.min_prob)));
    }
    return args_.am_scale == 1.0 ? x : ops::scale(x, args_.am_scale);
  }

  FastBwArgs args_;
  FsaArgs fsa_;
};

const RegisterLayer<FastBwLayer, FastBwArgs> kRegister{
    "fast_bw",
    {},
    "Baum-Welch: occupancies of the states of CTC, for the loss via_layer.",
    {R"({"class": "fast_bw", "align_target": "ctc", "align_target_key": "classes", "input_type": "prob", "from": "probs"})"}};

}  // namespace
}  // namespace wende
