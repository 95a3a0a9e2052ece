#include <fmt/core.h>

#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ChoiceArgs {
  Value beam_size, keep_beams, search, add_to_beam_scores, input_type, prob_scale, base_beam_score_scale,
      random_sample_scale, length_normalization, length_normalization_exponent, custom_score_combine, source_beam_sizes,
      scheduled_sampling, cheating, explicit_search_sources, explicit_search_source;

  template <class V>
  void fields(V& v) {
    v.field("beam_size", beam_size, "hypotheses in search");
    v.field("keep_beams", keep_beams, "search: each hypothesis goes on");
    v.field("search", search, "False: takes the target in search too");
    v.field("add_to_beam_scores", add_to_beam_scores, "search: add the target's score");
    v.field("input_type", input_type, "search: \"prob\", \"log_prob\", \"logits\" or \"regression\"");
    v.field("prob_scale", prob_scale, "search: factor of the scores of this step");
    v.field("base_beam_score_scale", base_beam_score_scale, "search: factor of the scores so far");
    v.field("random_sample_scale", random_sample_scale, "search: factor of random scores");
    v.field("length_normalization", length_normalization, "search: scores by length");
    v.field("length_normalization_exponent", length_normalization_exponent, "search: exponent of the length");
    v.field("custom_score_combine", custom_score_combine, "search: function that combines scores");
    v.field("source_beam_sizes", source_beam_sizes, "search: hypotheses per source");
    v.field("scheduled_sampling", scheduled_sampling, "must be off");
    v.field("cheating", cheating, "search: keep the target among the hypotheses");
    v.field("explicit_search_sources", explicit_search_sources, "search: choices that this one builds on");
    v.field("explicit_search_source", explicit_search_source, "search: choice that this one builds on");
  }
};

/// Without search: the target, and the sources are not read.
class ChoiceLayer : public Layer {
 public:
  explicit ChoiceLayer(ChoiceArgs args) : args_(std::move(args)) {
    const Value& sampling = args_.scheduled_sampling;
    if (!sampling.is_none() && !(sampling.kind() == Value::Kind::kBool && !sampling.as_bool())) {
      throw sampling.error("scheduled_sampling is not supported by Wende " WENDE_VERSION);
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.search) {
      throw context.options.error("search with a choice layer is not supported by Wende " WENDE_VERSION);
    }
    if (context.targets.empty()) {
      throw context.options.error("choice takes its output from the target outside of search: add \"target\"");
    }
    return context.targets[0].with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    for (size_t i = 0; i < builder.context().targets.size(); ++i) {
      builder.add_sub_output(fmt::format("out_{}", i), builder.target(static_cast<int>(i)));
    }
    return builder.target(0).expr;
  }

 private:
  ChoiceArgs args_;
};

struct DecideArgs {
  Value length_normalization;

  template <class V>
  void fields(V& v) {
    v.field("length_normalization", length_normalization, "search: scores by length");
  }
};

/// Without a beam there is nothing to decide: the source, batch-major.
class DecideLayer : public Layer {
 public:
  explicit DecideLayer(const DecideArgs&) {}

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("decide takes one input, got {}", context.sources.size()));
    }
    const Data& x = context.sources[0];
    return (x.has_batch() ? x.permuted(batch_first(x)) : x).with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.source(0);
    return x.data.has_batch() ? ops::permute(x.expr, batch_first(x.data)) : x.expr;
  }

 private:
  static std::vector<int> batch_first(const Data& x) {
    std::vector<int> order{x.batch_axis()};
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (axis != x.batch_axis()) {
        order.push_back(axis);
      }
    }
    return order;
  }
};

const RegisterLayer<ChoiceLayer, ChoiceArgs> kRegisterChoice{
    "choice",
    {},
    "Chooses labels in search; in training its output is the target.",
    {R"({"class": "choice", "from": "data", "target": "classes", "beam_size": 4})"}};

const RegisterLayer<DecideLayer, DecideArgs> kRegisterDecide{
    "decide",
    {},
    "The best hypothesis of a search; without search its input, batch-major.",
    {R"({"class": "decide", "from": "data"})"}};

}  // namespace
}  // namespace wende
