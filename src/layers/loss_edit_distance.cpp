#include <fmt/core.h>

#include <algorithm>

#include "layers/loss_args.h"
#include "ops/ctc.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct EditDistanceArgs : GeneralLossArgs {
  bool debug_print = false;
  Value label_map;
  bool ctc_decode = false;
  bool output_in_log_space = false;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("debug_print", debug_print, "accepted; has no effect");
    v.field("label_map", label_map, "dict of labels that count as others");
    v.field("ctc_decode", ctc_decode, "the output is scores that a CTC beam search decodes; else it is labels");
    v.field("output_in_log_space", output_in_log_space, "the scores are no probabilities");
  }
};

/// Levenshtein distance of output and target; an error, no loss value.
class EditDistanceLoss : public Loss {
 public:
  explicit EditDistanceLoss(EditDistanceArgs args) : args_(std::move(args)) {
    if (args_.label_map.is_none()) return;
    for (const auto& [from, to] : args_.label_map.entries()) {
      const auto label = static_cast<size_t>(from.as_int());
      for (size_t i = map_.size(); i <= label; ++i) map_.push_back(static_cast<int>(i));
      map_[label] = static_cast<int>(to.as_int());
    }
  }

  bool compares_sequences() const override { return true; }

  void check(const Data& output, const Data& target) const override {
    const auto fault = [&](const char* what) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("edit_distance {}: output {}, target {}", what, output.str(), target.str()));
    };
    if (!target.sparse() || !target.has_time()) fault("needs a target of label sequences");
    if (!output.has_time() || !output.has_batch()) fault("needs an output of sequences");
    if (output.sparse() == args_.ctc_decode) {
      fault(args_.ctc_decode ? "with ctc_decode needs dense scores" : "needs an output of labels");
    }
    const int64_t wanted = target.sparse_dim.size() + (args_.ctc_decode ? 1 : 0);
    if (output.feature_or_sparse_dim().size() != wanted) fault("has other classes than the target");
  }

  LossValue by_sequence(const LossContext& context) const override {
    const Data& output = context.output.data;
    const Expr labels = labels_batch_major(context);
    LossValue loss;
    if (args_.ctc_decode) {
      const int64_t beam_width = 100;  // TensorFlow's default
      const Expr scores = args_.output_in_log_space ? context.output.expr : scores_of(context);
      loss.error = ops::ctc_edit_distance(scores, context.output_lengths, labels, context.target_lengths,
                                          output.time_axis < output.batch_axis(), beam_width, false, map_);
      return loss;
    }
    Expr guess = ops::cast(context.output.expr, DType::kInt32);
    if (output.batch_axis() != 0) guess = ops::permute(guess, {1, 0});
    loss.error = ops::edit_distance(guess, context.output_lengths, labels, context.target_lengths, map_);
    return loss;
  }

  LossValue build(const LossContext& context) const override {
    LossValue loss = by_sequence(context);
    loss.error = sum_all(loss.error);
    return loss;
  }

 private:
  EditDistanceArgs args_;
  std::vector<int> map_;
};

struct BleuArgs : GeneralLossArgs {
  template <class V>
  void fields(V& v) {
    general_fields(v);
  }
};

/// -BLEU of each sequence, summed; an error, no loss value.
class BleuLoss : public Loss {
 public:
  explicit BleuLoss(const BleuArgs&) {}
  bool compares_sequences() const override { return true; }
  void check(const Data& output, const Data& target) const override {
    if (!output.sparse() || !target.sparse() || !output.has_time() || !target.has_time()) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("bleu needs label sequences: output {}, target {}", output.str(), target.str()));
    }
    check_feature_sizes(output, target);
  }
  LossValue build(const LossContext& context) const override {
    Expr guess = ops::cast(context.output.expr, DType::kInt32);
    if (context.output.data.batch_axis() != 0) guess = ops::permute(guess, {1, 0});
    const Expr score =
        ops::bleu_score(guess, context.output_lengths, labels_batch_major(context), context.target_lengths);
    LossValue loss;
    loss.error = ops::scale(sum_all(score), -1.0);
    return loss;
  }
};

const RegisterLoss<EditDistanceLoss, EditDistanceArgs> kRegister{
    "edit_distance", {}, "Levenshtein distance of label sequences, as error."};
const RegisterLoss<BleuLoss, BleuArgs> kRegisterBleu{"bleu", {}, "Negative BLEU score of label sequences, as error."};

}  // namespace
}  // namespace wende
