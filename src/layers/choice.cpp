#include <fmt/core.h>

#include <limits>

#include "config/config.h"
#include "layers/choice_scores.h"
#include "layers/eval_call.h"
#include "layers/eval_source.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
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
    v.field("search", search, "True: searches in training too; False: takes its target in a search too");
    v.field("add_to_beam_scores", add_to_beam_scores,
            "with search False, in a search: add the score of the target to that of the hypothesis (True)");
    v.field("input_type", input_type, "search: \"prob\", \"log_prob\", \"logits\" or \"regression\"");
    v.field("prob_scale", prob_scale, "search: factor of the scores of this step");
    v.field("base_beam_score_scale", base_beam_score_scale, "search: factor of the scores so far");
    v.field("random_sample_scale", random_sample_scale, "must be 0");
    v.field("length_normalization", length_normalization, "search: scores by length");
    v.field("length_normalization_exponent", length_normalization_exponent, "search: exponent of the length");
    v.field("custom_score_combine", custom_score_combine,
            "search: function of scores_in [B,beam,V] and scores_base [B,beam,1], instead of their sum");
    v.field("source_beam_sizes", source_beam_sizes, "search over several sources: labels kept of each");
    v.field("scheduled_sampling", scheduled_sampling, "must be off");
    v.field("cheating", cheating,
            "search: the target stays among the hypotheses; \"exclusive\": and is there only once");
    v.field("explicit_search_sources", explicit_search_sources,
            "search: layers whose choices this one builds on, though it does not read them");
    v.field("explicit_search_source", explicit_search_source, "one of explicit_search_sources");
  }
};

bool is_on(const Value& option) {
  return !option.is_none() && !(option.kind() == Value::Kind::kBool && !option.as_bool()) &&
         !(option.is_number() && option.as_float() == 0.0);
}

double number_or_one(const Value& option) { return option.is_none() ? 1.0 : option.as_float(); }

/// Outside of search: the target, and the sources are not read. In search: the best continuations of the hypotheses.
class ChoiceLayer : public Layer {
 public:
  explicit ChoiceLayer(ChoiceArgs args) : args_(std::move(args)) {
    for (const Value* option : {&args_.scheduled_sampling, &args_.random_sample_scale}) {
      if (is_on(*option)) {
        throw option->error("labels drawn at random by a choice are not supported by Wende " WENDE_VERSION);
      }
    }
    if (args_.cheating.is_string() && args_.cheating.as_string() != "exclusive") {
      throw args_.cheating.error("cheating is True, False or \"exclusive\", got " + args_.cheating.repr());
    }
  }

  /// Only where the layer searches.
  std::vector<std::string> refs() const override {
    std::vector<std::string> names;
    const Value& several = args_.explicit_search_sources;
    if (is_on(args_.explicit_search_source)) names.push_back(args_.explicit_search_source.as_string());
    if (several.is_dict()) {
      for (const std::string& key : several.keys()) names.push_back(several.find(key)->as_string());
    } else if (several.is_sequence()) {
      for (const Value& name : several.items()) names.push_back(name.as_string());
    }
    return names;
  }

  Data out_data(const LayerContext& context) override {
    if (searches(context)) {
      return search_data(context);
    }
    if (context.targets.empty()) {
      throw context.options.error("choice takes its output from the target outside of search: add \"target\"");
    }
    Data out = context.targets[0].with_name(context.name);
    if (context.beam.defined() && out.has_batch()) {
      check_added_scores(context);
      out.dims[static_cast<size_t>(out.batch_axis())] = context.beam;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    if (searches(builder.context())) {
      return is_regression() ? regression(builder) : search(builder);
    }
    if (builder.context().beam.defined()) {
      return add_scores(builder);
    }
    for (size_t i = 0; i < builder.context().targets.size(); ++i) {
      builder.add_sub_output(fmt::format("out_{}", i), builder.target(static_cast<int>(i)));
    }
    return builder.target(0).expr;
  }

 private:
  bool searches(const LayerContext& context) const {
    return args_.search.kind() == Value::Kind::kBool ? args_.search.as_bool() : context.search;
  }
  bool is_regression() const { return !args_.input_type.is_none() && args_.input_type.as_string() == "regression"; }
  bool normalizes() const { return args_.length_normalization.is_none() || args_.length_normalization.as_bool(); }

  Data search_data(const LayerContext& context) const {
    if (!context.loop_time.defined()) {
      throw context.options.error("a search outside of a loop is not supported by Wende " WENDE_VERSION);
    }
    if (context.sources.empty()) {
      throw context.options.error("a choice needs scores: add \"from\"");
    }
    if (is_regression()) {
      return regression_data(context);
    }
    if (!context.targets.empty() && context.targets.size() != context.sources.size()) {
      throw context.options.error(fmt::format("a choice has as many targets as sources, got {} and {}",
                                              context.targets.size(), context.sources.size()));
    }
    for (size_t i = 0; i < context.sources.size(); ++i) {
      labels_of(context, i);
    }
    check_beam(context);
    return labels_of(context, 0);
  }

  /// The template of what is chosen from source i.
  static Data labels_of(const LayerContext& context, size_t i) {
    const Data& scores = context.sources[i];
    if (scores.rank() != 2 || scores.batch_axis() != 0 || scores.feature_axis != 1) {
      throw context.options.error("choice needs scores [B,F] in each step, got " + scores.str());
    }
    Data out;
    out.name = context.name;
    out.dims = {context.beam};
    out.dtype = DType::kInt32;
    out.sparse_dim = context.targets.empty() ? scores.dims[1] : context.targets[i].sparse_dim;
    if (!out.sparse_dim.defined() || !out.sparse_dim.same_size(scores.dims[1])) {
      throw context.options.error("choice has scores " + scores.str() + " for the labels of the target " +
                                  (context.targets.empty() ? "" : context.targets[i].str()));
    }
    return out;
  }

  Data regression_data(const LayerContext& context) const {
    if (context.sources.size() != 1 || args_.beam_size.as_int() != 1 || is_on(args_.cheating)) {
      throw args_.input_type.error(
          "a choice with input_type \"regression\" has one source, beam_size 1 and no cheating");
    }
    Data out = context.sources[0].with_name(context.name);
    if (out.has_batch()) out.dims[static_cast<size_t>(out.batch_axis())] = context.beam;
    return out;
  }

  void check_beam(const LayerContext& context) const {
    const int64_t from = context.sources[0].dims[0].operands().at(1).size();
    if (is_on(args_.keep_beams) && args_.beam_size.as_int() % from != 0) {
      throw args_.keep_beams.error(
          fmt::format("with keep_beams, beam_size must be a multiple of the {} hypotheses that there are, got {}", from,
                      args_.beam_size.as_int()));
    }
    if (is_on(args_.cheating) && is_on(args_.keep_beams)) {
      throw args_.cheating.error("cheating and keep_beams exclude each other");
    }
    if (is_on(args_.cheating) && (context.targets.size() != 1 || context.sources.size() != 1)) {
      throw args_.cheating.error("cheating needs one target and one source");
    }
    const Value& sizes = args_.source_beam_sizes;
    if (!sizes.is_none() && context.sources.size() > 1 && sizes.items().size() != context.sources.size()) {
      throw sizes.error(fmt::format("source_beam_sizes needs one number for each of the {} sources, got {}",
                                    context.sources.size(), sizes.repr()));
    }
    const Value& followed = context.followed_choice;
    if (is_on(args_.cheating) && followed.is_dict() && !keeps_target(followed) && !context.second_of_two_choices) {
      throw args_.cheating
          .error(
              "in a chain of choices, which hypothesis the target goes on from is known where the choice before "
              "keeps its target, too, or where there are two choices")
          .hint("add \"cheating\" to the choice before");
    }
  }

  static bool keeps_target(const Value& choice) {
    const Value* cheating = choice.find("cheating");
    return cheating && is_on(*cheating);
  }

  /// What cheating keeps. The hypothesis that it goes on from is the last one, as the choice before left it there.
  /// Where the choice before does not cheat: the best one that comes from the last place of the step before.
  GoldLabel gold_label(LayerBuilder& builder, Expr scores, Expr step) const {
    GoldLabel gold;
    if (!is_on(args_.cheating)) {
      return gold;
    }
    Graph& graph = builder.graph();
    const auto number = [&graph](int64_t value) { return ops::int_constant(graph, value); };
    const Dim sequences = scores.dim(0).operands().at(0);
    const Dim beam = scores.dim(0).operands().at(1);
    const Expr target = builder.target(0).expr;  // the same for all hypotheses of a sequence
    gold.exclusive = args_.cheating.is_string();
    gold.labels = ops::gather(target, ops::mul(ops::range(graph, sequences), number(beam.size())));
    gold.source = number(beam.size() - 1);
    const Value& followed = builder.context().followed_choice;
    if (!followed.is_dict()) {
      const Expr first = ops::binary(ops::Binary::kEqual, step, number(0));
      gold.source = ops::where(first, number(0), gold.source);
    } else if (!keeps_target(followed)) {
      const Hypotheses before = builder.hypotheses();
      const Expr from = ops::binary(ops::Binary::kMod, before.rows, number(before.from));
      const Expr last = ops::reduce(ops::Reduction::kMax, from, {0});
      const Expr of_target = ops::where(ops::binary(ops::Binary::kEqual, from, last), ops::pick_last(scores, target),
                                        ops::constant(graph, -std::numeric_limits<double>::infinity()));
      gold.source = ops::argmax(ops::reshape(of_target, {sequences, beam}), 1);
    }
    return gold;
  }

  void check_added_scores(const LayerContext& context) const {
    if (context.sources.size() != 1 || is_on(args_.custom_score_combine) || normalizes()) {
      throw context.options
          .error(
              "a choice with search False adds the score of its target to those of the search around: it needs one "
              "source and \"length_normalization\": False, and no custom_score_combine")
          .hint("\"add_to_beam_scores\": False leaves the scores as they are");
    }
  }

  Data of_hypotheses(LayerBuilder& builder, DType dtype) const {
    Data data;
    data.name = builder.context().name;
    data.dims = {builder.context().beam};
    data.dtype = dtype;
    return data;
  }

  void add_hypotheses(LayerBuilder& builder, Expr scores, Expr rows) const {
    builder.add_sub_output("scores", {of_hypotheses(builder, DType::kFloat32), scores});
    builder.add_sub_output("src_rows", {of_hypotheses(builder, DType::kInt32), rows});
  }

  /// scores [B*beam,V] of this step and base [B*beam] so far, added up or as the function of the config says. It sees
  /// them as [B,beam,V] and [B,beam,1].
  Expr combined(LayerBuilder& builder, Expr scores, Expr base, Expr step, Expr ended) const {
    if (args_.custom_score_combine.is_none()) {
      return ops::add(ops::scale(scores, number_or_one(args_.prob_scale)),
                      ops::expand_dims(ops::scale(base, number_or_one(args_.base_beam_score_scale)), 1));
    }
    const Dim rows = scores.dim(0);
    const Dim batch = rows.operands().at(0);
    const Dim beam = rows.operands().at(1);
    const Value size = Value::of(beam.size());
    const KeywordArgs arguments{
        {"layer", evaluate_expression("self", args_.custom_score_combine.span(), {})},
        {"scores_in", traced(ops::reshape(scores, {batch, beam, scores.dim(1)}))},
        {"scores_base", traced(ops::reshape(base, {batch, beam, Dim::fixed(1, Dim::Kind::kSpatial)}))},
        {"t", traced(step)},
        {"end_flags", traced(ops::reshape(ended, {batch, beam}))},
        {"batch_dim", dim_value(batch)},
        {"scores_beam_in", size},
        {"base_beam_in", size}};
    const Expr result = traced_for_layer(builder, [&] {
      return traced_expr(builder.graph(), args_.custom_score_combine.as_callable().call({}, arguments));
    });
    if (result.rank() != 3 || result.dtype() != DType::kFloat32 || !result.dim(2).same_size(scores.dim(1))) {
      throw args_.custom_score_combine.error("the function must return scores like scores_in, got " +
                                             result.type().str());
    }
    return ops::reshape(result, {rows, scores.dim(1)});
  }

  std::vector<int64_t> source_sizes(LayerBuilder& builder) const {
    std::vector<int64_t> sizes;
    for (int i = 0; i < builder.source_count(); ++i) {
      const Value& given = args_.source_beam_sizes;
      const int64_t size = given.is_none() ? args_.beam_size.as_int() : given.items()[static_cast<size_t>(i)].as_int();
      const Dim labels = builder.source(i).expr.dim(1);
      if (size < 1 || (labels.is_static() && size > labels.size())) {
        throw(given.is_none() ? args_.beam_size : given)
            .error(fmt::format("a search over several sources keeps {} labels of source {}, which has {}", size, i,
                               labels.str()))
            .hint("give smaller source_beam_sizes");
      }
      sizes.push_back(size);
    }
    return sizes;
  }

  Expr search(LayerBuilder& builder) const {
    const Expr step = builder.loop_step();
    const Expr ended = builder.ended();
    Expr base = builder.hypotheses().scores;
    if (normalizes()) {
      base = keep_normalized(base, ended, step, number_or_one(args_.length_normalization_exponent));
    }
    std::vector<Expr> of_sources;
    for (int i = 0; i < builder.source_count(); ++i) {
      of_sources.push_back(choice_log_scores(builder, i, args_.input_type));
    }
    const bool several = of_sources.size() > 1;
    const PrunedSources pruned = several ? combine_sources(of_sources, source_sizes(builder)) : PrunedSources();
    Expr scores = scores_of_ended(several ? pruned.scores : of_sources[0], ended);
    scores = combined(builder, scores, base, step, ended);
    const bool first_choice = !builder.context().followed_choice.is_dict();
    const ChosenLabels chosen = choose_labels(scores, first_choice ? step : Expr(), builder.context().beam,
                                              is_on(args_.keep_beams), gold_label(builder, scores, step));
    add_hypotheses(builder, chosen.scores, chosen.rows);
    if (!several) {
      return chosen.labels;
    }
    const std::vector<Expr> labels = labels_of_combinations(pruned, chosen.labels, chosen.rows);
    for (size_t i = 0; i < labels.size(); ++i) {
      builder.add_sub_output(fmt::format("out_{}", i), {labels_of(builder.context(), i), labels[i]});
    }
    return labels[0];
  }

  /// Not a choice among labels: the source itself.
  Expr regression(LayerBuilder& builder) const {
    add_hypotheses(builder, builder.hypotheses().scores, ops::range(builder.graph(), builder.context().beam));
    return builder.source(0).expr;
  }

  /// The target, whose score the hypotheses get.
  Expr add_scores(LayerBuilder& builder) const {
    const Expr labels = builder.target(0).expr;
    const Expr scores = scores_of_ended(choice_log_scores(builder, 0, args_.input_type), builder.ended());
    const Expr sum = ops::add(ops::scale(ops::pick_last(scores, labels), number_or_one(args_.prob_scale)),
                              ops::scale(builder.hypotheses().scores, number_or_one(args_.base_beam_score_scale)));
    add_hypotheses(builder, sum, ops::range(builder.graph(), builder.context().beam));
    builder.add_sub_output("out_0", {builder.out_data(), labels});
    return labels;
  }

  ChoiceArgs args_;
};

const RegisterLayer<ChoiceLayer, ChoiceArgs> kRegisterChoice{
    "choice",
    {},
    "Chooses labels in search; in training its output is the target.",
    {R"({"class": "choice", "from": "data", "target": "classes", "beam_size": 4})"}};

}  // namespace
}  // namespace wende
