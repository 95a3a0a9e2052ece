#include <fmt/core.h>

#include "layers/loss_args.h"
#include "ops/ctc.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct CtcArgs : GeneralLossArgs {
  bool target_collapse_repeated = false;
  bool auto_clip_target_len = false;
  bool output_in_log_space = false;
  int64_t beam_width = 100;
  Value ctc_opts;
  bool use_native = false;
  bool use_viterbi = false;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("target_collapse_repeated", target_collapse_repeated, "equal neighbours of the target count as one");
    v.field("auto_clip_target_len", auto_clip_target_len, "cuts the target to one label less than there are frames");
    v.field("output_in_log_space", output_in_log_space, "the output is scores before softmax or log probabilities");
    v.field("beam_width", beam_width, "of the decoder for the error in evaluation; 1 = greedy");
    v.field("ctc_opts", ctc_opts, "dict of further options: see docs/losses.md");
    v.field("use_native", use_native, "RETURNN's own implementation: other ctc_opts, sequences without path give 0");
    v.field("use_viterbi", use_viterbi, "best path instead of the sum of all");
  }
};

/// ctc_opts of TensorFlow's function.
struct TensorflowCtcArgs {
  bool preprocess_collapse_repeated = false;
  bool ctc_merge_repeated = true;
  bool ignore_longer_outputs_than_inputs = false;

  template <class V>
  void fields(V& v) {
    v.field("preprocess_collapse_repeated", preprocess_collapse_repeated,
            "equal neighbours of the target count as one");
    v.field("ctc_merge_repeated", ctc_merge_repeated, "a label may last several frames");
    v.field("ignore_longer_outputs_than_inputs", ignore_longer_outputs_than_inputs, "no loss for targets too long");
  }
};

/// ctc_opts of RETURNN's own function.
struct NativeCtcArgs {
  Value label_loop, ctc_merge_repeated, zero_infinity;
  bool logits_normalize = true;
  bool grad_wrt_softmax_in = true;
  int64_t blank_index = -1;

  template <class V>
  void fields(V& v) {
    v.field("label_loop", label_loop, "a label may last several frames (True)");
    v.field("ctc_merge_repeated", ctc_merge_repeated, "the same");
    v.field("logits_normalize", logits_normalize, "softmax inside");
    v.field("grad_wrt_softmax_in", grad_wrt_softmax_in, "gradient softmax - occupancy, else -occupancy");
    v.field("blank_index", blank_index, "class of the blank");
    v.field("zero_infinity", zero_infinity, "no loss and no gradient for sequences without a path");
  }
};

class CtcLoss : public Loss {
 public:
  explicit CtcLoss(CtcArgs args) : args_(std::move(args)) {
    if (args_.beam_width < 1) throw Error(ExitStatus::kConfig, "beam_width must be at least 1");
    if (args_.use_native && !args_.use_viterbi && args_.beam_width > 1) native_beam_ = true;
    read_ctc_opts();
  }

  bool compares_sequences() const override { return true; }
  int64_t auto_output_dim(int64_t target_dim) const override { return target_dim + 1; }

  void check(const Data& output, const Data& target) const override {
    if (!target.sparse()) {
      throw Error(ExitStatus::kConfig, "ctc needs a sparse target, got " + target.name + " " + target.str());
    }
    if (output.rank() != 3 || !output.has_time() || !output.has_batch() || output.feature_axis < 0) {
      throw Error(ExitStatus::kConfig, "ctc needs an output with batch, time and feature, got " + output.str());
    }
    const Dim feature = output.dims[static_cast<size_t>(output.feature_axis)];
    if (feature.size() != target.sparse_dim.size() + 1) {
      throw Error(ExitStatus::kConfig, fmt::format("expected output dim is {} but the output has dim {}: ctc needs one "
                                                   "class more than the target's {}, for the blank",
                                                   target.sparse_dim.size() + 1, feature.size(), target.str()));
    }
    if (native_beam_) {
      throw Error(ExitStatus::kConfig, "use_native needs beam_width 1").hint("add \"beam_width\": 1 to loss_opts");
    }
  }

  LossValue build(const LossContext& context) const override {
    const Expr logits = args_.output_in_log_space ? feature_last(context) : scores_of(context);
    cpu::CtcOptions options = options_;
    options.time_major = time_major(context.output.data);
    const int64_t classes = logits.dim(2).size();
    options.blank = options.blank < 0 ? options.blank + classes : options.blank;
    if (options.blank < 0 || options.blank >= classes) {
      throw Error(ExitStatus::kConfig, fmt::format("blank_index {} is outside of [0,{})", options.blank, classes));
    }
    const bool own = args_.use_native || args_.use_viterbi;
    if (own && (zero_infinity_given_ ? zero_infinity_ : context.ctc_zero_infinity)) {
      options.no_path = cpu::CtcNoPath::kZeroInfinity;
    }
    const Expr labels = labels_batch_major(context);
    // RETURNN's own functions know nothing of clipping and collapsing; its decoder's error does.
    const Expr clipped = clipped_lengths(context);
    const Expr frames = frame_lengths(context);
    options.collapse_labels |= !own && args_.target_collapse_repeated;
    const Expr value = ops::ctc_loss(logits, frames, labels, own ? context.target_lengths : clipped, options);
    const bool beam = args_.beam_width > 1 && !context.train;
    const Expr error = ops::ctc_edit_distance(logits, frames, labels, clipped, options.time_major,
                                              beam ? args_.beam_width : 1, args_.target_collapse_repeated);
    return {sum_all(value), sum_all(error)};
  }

 private:
  void read_ctc_opts() {
    const Value given = args_.ctc_opts.is_none() ? Value::dict({}) : args_.ctc_opts;
    ArgsReader reader(given);
    if (args_.use_viterbi) {
      if (!given.entries().empty()) throw given.error("use_viterbi takes no ctc_opts");
      options_.viterbi = true;
      options_.blank = -1;
      options_.empty_is_zero = false;
      return;
    }
    if (!args_.use_native) {
      TensorflowCtcArgs args;
      args.fields(reader);
      reader.finish("ctc_opts of loss 'ctc'");
      options_.collapse_labels = args.preprocess_collapse_repeated;
      options_.label_loop = args.ctc_merge_repeated;
      options_.ignore_longer = args.ignore_longer_outputs_than_inputs;
      options_.blank = -1;
      return;
    }
    NativeCtcArgs args;
    args.fields(reader);
    reader.finish("ctc_opts of loss 'ctc' with use_native");
    const Value& loop = args.label_loop.is_none() ? args.ctc_merge_repeated : args.label_loop;
    if (!args.label_loop.is_none() && !args.ctc_merge_repeated.is_none()) {
      throw given.error("label_loop and ctc_merge_repeated are the same option");
    }
    options_.label_loop = loop.is_none() || loop.as_bool();
    options_.normalize = args.logits_normalize;
    options_.grad_wrt_softmax = args.grad_wrt_softmax_in;
    options_.blank = args.blank_index;
    options_.empty_is_zero = false;
    options_.no_path = cpu::CtcNoPath::kZeroLoss;
    zero_infinity_given_ = !args.zero_infinity.is_none();
    zero_infinity_ = zero_infinity_given_ && args.zero_infinity.as_bool();
  }

  static bool time_major(const Data& output) { return output.time_axis < output.batch_axis(); }

  static Expr feature_last(const LossContext& context) {
    const int axis = context.output.data.feature_axis;
    return axis == 2
               ? context.output.expr
               : ops::permute(context.output.expr, axis == 0 ? std::vector<int>{1, 2, 0} : std::vector<int>{0, 2, 1});
  }

  static Expr frame_lengths(const LossContext& context) {
    if (context.output_lengths.defined()) return context.output_lengths;
    const auto time = static_cast<double>(context.output.data.time_dim().size());
    return ops::constant(*context.graph, time, DType::kInt32, {context.batch});
  }

  Expr clipped_lengths(const LossContext& context) const {
    if (!args_.auto_clip_target_len) return context.target_lengths;
    const Expr one = ops::int_constant(*context.graph, 1);
    const Expr zero = ops::int_constant(*context.graph, 0);
    const Expr most = ops::binary(ops::Binary::kMaximum, ops::sub(frame_lengths(context), one), zero);
    return ops::binary(ops::Binary::kMinimum, context.target_lengths, most);
  }

  CtcArgs args_;
  cpu::CtcOptions options_;
  bool native_beam_ = false;
  bool zero_infinity_given_ = false;
  bool zero_infinity_ = false;
};

const RegisterLoss<CtcLoss, CtcArgs> kRegister{
    "ctc", {}, "Connectionist temporal classification; the blank is the last class."};

}  // namespace
}  // namespace wende
