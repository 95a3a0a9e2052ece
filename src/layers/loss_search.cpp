#include <fmt/core.h>

#include "layers/loss_args.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

const Beam& need_beam(const LossContext& context, const char* loss) {
  if (!context.beam) {
    throw Error(ExitStatus::kConfig,
                fmt::format("the loss '{}' needs an output with the hypotheses of a search, got {}", loss,
                            context.output.data.str()))
        .hint("a choice with \"search\": True searches in training too");
  }
  return *context.beam;
}

struct SearchScoreArgs : GeneralLossArgs {
  template <class V>
  void fields(V& v) {
    general_fields(v);
  }
};

/// -sum of the scores of all hypotheses.
class SearchScoreLoss : public Loss {
 public:
  explicit SearchScoreLoss(const SearchScoreArgs&) {}
  bool needs_target() const override { return false; }
  bool recurrent() const override { return true; }
  void check(const Data&, const Data&) const override {}
  LossValue build(const LossContext& context) const override {
    return {ops::scale(sum_all(need_beam(context, "search_score").scores), -1.0), {}};
  }
};

struct ExpectedArgs : GeneralLossArgs {
  Value loss;
  std::string loss_kind;
  bool norm_scores = true, norm_scores_stop_gradient = true, divide_beam_size = true, subtract_average_loss = true;
  bool loss_correction_grad_only = false;

  template <class V>
  void fields(V& v) {
    general_fields(v);
    v.field("loss", loss, "the loss that is expected, a dict with its \"class\"");
    v.field("loss_kind", loss_kind, "\"error\" or \"value\"");
    v.field("norm_scores", norm_scores, "the hypotheses' probabilities sum to 1");
    v.field("norm_scores_stop_gradient", norm_scores_stop_gradient, "no gradient through that sum");
    v.field("divide_beam_size", divide_beam_size, "the mean over the beam");
    v.field("subtract_average_loss", subtract_average_loss, "less the mean loss of the beam");
    v.field("loss_correction_grad_only", loss_correction_grad_only, "for the gradient only");
  }
};

/// Another loss of each hypothesis, weighted with its probability: minimum Bayes risk.
class ExpectedLoss : public Loss {
 public:
  explicit ExpectedLoss(ExpectedArgs args) : args_(std::move(args)) {
    const Value* klass = args_.loss.is_dict() ? args_.loss.find("class") : nullptr;
    if (!klass || !klass->is_string()) {
      throw Error(ExitStatus::kConfig, "expected_loss needs 'loss' in loss_opts: a dict with a \"class\"");
    }
    const LossClass* entry = LossRegistry::instance().find(klass->as_string());
    if (!entry) {
      throw klass->error("unknown loss '" + klass->as_string() + "'")
          .hint(did_you_mean(klass->as_string(), LossRegistry::instance().names()));
    }
    if (args_.loss_kind != "error" && args_.loss_kind != "value") {
      throw Error(ExitStatus::kConfig,
                  "loss_kind of expected_loss is \"error\" or \"value\", got '" + args_.loss_kind + "'");
    }
    std::vector<Value::Entry> options;
    for (const auto& [key, value] : args_.loss.entries()) {
      if (key.as_string() != "class") options.emplace_back(key, value);
    }
    inner_ = entry->make(Value::dict(std::move(options)));
  }

  bool needs_target() const override { return inner_->needs_target(); }
  bool compares_sequences() const override { return inner_->compares_sequences(); }
  bool recurrent() const override { return true; }
  void check(const Data& output, const Data& target) const override { inner_->check(output, target); }

  LossValue build(const LossContext& context) const override {
    const Beam& beam = need_beam(context, "expected_loss");
    const LossValue each = inner_->by_sequence(context);
    const Expr of_hypotheses = args_.loss_kind == "error" ? each.error : each.value;
    if (!of_hypotheses.defined()) {
      throw Error(ExitStatus::kConfig, "expected_loss: this inner loss has no " + args_.loss_kind +
                                           " of each sequence; \"edit_distance\" has an error");
    }
    const std::vector<Dim> dims{rows_of(context), Dim::fixed(beam.size)};
    const Expr losses = ops::cast(ops::reshape(of_hypotheses, dims), DType::kFloat32);
    const Expr scores = ops::reshape(beam.scores, dims);
    Expr corrected = losses;
    if (args_.subtract_average_loss) {
      const double share = 1.0 / static_cast<double>(beam.size);
      const Expr mean = ops::scale(ops::reduce(ops::Reduction::kSum, losses, {1}, true), share);
      corrected = ops::sub(losses, ops::stop_gradient(mean));
    }
    const Expr weights = ops::unary(ops::Unary::kExp, log_weights(scores));
    Expr weighted = sum_all(ops::mul(corrected, weights));
    if (args_.loss_correction_grad_only && args_.subtract_average_loss) {
      weighted = ops::add(weighted, ops::stop_gradient(sum_all(ops::mul(ops::sub(losses, corrected), weights))));
    }
    return {args_.divide_beam_size ? ops::scale(weighted, 1.0 / static_cast<double>(beam.size)) : weighted, {}};
  }

 private:
  /// The sequences of the batch axis [B*beam].
  static Dim rows_of(const LossContext& context) {
    const Dim batch = context.output.data.dims[static_cast<size_t>(context.output.data.batch_axis())];
    return batch.op() == Dim::Op::kMul ? batch.operands()[0] : batch;
  }

  Expr log_weights(Expr scores) const {
    if (!args_.norm_scores) return scores;
    const Expr normalized = ops::log_softmax(scores);
    // The norm alone: scores - log_softmax(scores) is log sum exp(scores), the same for the whole beam.
    return args_.norm_scores_stop_gradient ? ops::add(scores, ops::stop_gradient(ops::sub(normalized, scores)))
                                           : normalized;
  }

  ExpectedArgs args_;
  std::shared_ptr<Loss> inner_;
};

const RegisterLoss<SearchScoreLoss, SearchScoreArgs> kRegisterScore{
    "search_score", {}, "The negative scores of a search's hypotheses."};
const RegisterLoss<ExpectedLoss, ExpectedArgs> kRegisterExpected{
    "expected_loss", {}, "Another loss, weighted with the probabilities of a search's hypotheses."};

}  // namespace
}  // namespace wende
