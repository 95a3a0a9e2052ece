#include <fmt/core.h>

#include <limits>

#include "config/config.h"
#include "layers/concat_input.h"
#include "layers/eval_call.h"
#include "layers/eval_source.h"
#include "layers/layer_builder.h"
#include "ops/beam_search.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

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
    v.field("search", search, "True: searches in training too; False in a search is not supported");
    v.field("add_to_beam_scores", add_to_beam_scores, "search: add the target's score");
    v.field("input_type", input_type, "search: \"prob\", \"log_prob\", \"logits\" or \"regression\"");
    v.field("prob_scale", prob_scale, "search: factor of the scores of this step");
    v.field("base_beam_score_scale", base_beam_score_scale, "search: factor of the scores so far");
    v.field("random_sample_scale", random_sample_scale, "search: factor of random scores");
    v.field("length_normalization", length_normalization, "search: scores by length");
    v.field("length_normalization_exponent", length_normalization_exponent, "search: exponent of the length");
    v.field("custom_score_combine", custom_score_combine,
            "search: function of scores_in [B,beam,V] and scores_base [B,beam,1], instead of their sum");
    v.field("source_beam_sizes", source_beam_sizes, "search: hypotheses per source");
    v.field("scheduled_sampling", scheduled_sampling, "must be off");
    v.field("cheating", cheating, "search: keep the target among the hypotheses");
    v.field("explicit_search_sources", explicit_search_sources, "search: choices that this one builds on");
    v.field("explicit_search_source", explicit_search_source, "search: choice that this one builds on");
  }
};

bool is_on(const Value& option) {
  return !option.is_none() && !(option.kind() == Value::Kind::kBool && !option.as_bool());
}

/// Outside of search: the target, and the sources are not read. In search: the best continuations of the hypotheses.
class ChoiceLayer : public Layer {
 public:
  explicit ChoiceLayer(ChoiceArgs args) : args_(std::move(args)) {
    if (is_on(args_.scheduled_sampling)) {
      throw args_.scheduled_sampling.error("scheduled_sampling is not supported by Wende " WENDE_VERSION);
    }
  }

  Data out_data(const LayerContext& context) override {
    if (searches(context)) {
      return search_data(context);
    }
    if (context.search) {
      throw args_.search.error("a choice without search inside of a search is not supported by Wende " WENDE_VERSION);
    }
    if (context.targets.empty()) {
      throw context.options.error("choice takes its output from the target outside of search: add \"target\"");
    }
    return context.targets[0].with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    if (searches(builder.context())) {
      return search(builder);
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

  Data search_data(const LayerContext& context) const {
    for (const Value* option : {&args_.add_to_beam_scores, &args_.random_sample_scale, &args_.source_beam_sizes,
                                &args_.cheating, &args_.explicit_search_sources, &args_.explicit_search_source}) {
      if (is_on(*option)) {
        throw option->error("in search, this option of choice is not supported by Wende " WENDE_VERSION);
      }
    }
    if (!context.loop_time.defined()) {
      throw context.options.error("a search outside of a loop is not supported by Wende " WENDE_VERSION);
    }
    if (context.sources.size() != 1) {
      throw context.options.error(
          fmt::format("a search over {} sources is not supported by Wende " WENDE_VERSION, context.sources.size()));
    }
    const Data& scores = context.sources[0];
    if (scores.rank() != 2 || scores.batch_axis() != 0 || scores.feature_axis != 1) {
      throw context.options.error("choice needs scores [B,F] in each step, got " + scores.str());
    }
    Data out;
    out.name = context.name;
    out.dims = {scores.dims[0]};
    out.dtype = DType::kInt32;
    out.sparse_dim = context.targets.empty() ? scores.dims[1] : context.targets[0].sparse_dim;
    if (!out.sparse_dim.defined() || !out.sparse_dim.same_size(scores.dims[1])) {
      throw context.options.error("choice has scores " + scores.str() + " for the labels of the target " +
                                  (context.targets.empty() ? "" : context.targets[0].str()));
    }
    return out;
  }

  /// Log scores of all labels: float32 [B*beam,V].
  Expr log_scores(LayerBuilder& builder) const {
    const Expr x = builder.source(0).expr;
    const std::string type = args_.input_type.is_none() ? "prob" : args_.input_type.as_string();
    if (type == "prob") {
      const LayerOutput logits = builder.source_sub_output(0, "logits:softmax");
      return logits.expr.defined() ? ops::log_softmax(logits.expr) : ops::unary(ops::Unary::kSafeLog, x);
    }
    if (type == "logits") {
      return ops::log_softmax(x);
    }
    if (type != "log_prob") {
      throw args_.input_type.error("input_type is \"prob\", \"log_prob\" or \"logits\" in search, got " +
                                   args_.input_type.repr());
    }
    return x;
  }

  /// The score so far grows for a sequence that has ended, so that score / length stays.
  Expr keep_normalized(Expr base, Expr ended, Expr step) const {
    if (!args_.length_normalization.is_none() && !args_.length_normalization.as_bool()) {
      return base;
    }
    const Value& option = args_.length_normalization_exponent;
    const Expr exponent = ops::constant(*base.graph, option.is_none() ? 1.0 : option.as_float());
    const Expr t = ops::cast(step, DType::kFloat32);
    const Expr growth = ops::binary(ops::Binary::kPow, ops::div(ops::add_scalar(t, 1.0), t), exponent);
    return ops::mul(base, ops::where(ended, growth, ops::constant(*base.graph, 1.0)));
  }

  /// scores [B*beam,V] of this step and base [B*beam] so far, added up or as the function of the config says. It sees
  /// them as [B,beam,V] and [B,beam,1].
  Expr combined(LayerBuilder& builder, Expr scores, Expr base, Expr step, Expr ended) const {
    if (args_.custom_score_combine.is_none()) {
      return ops::add(scores, ops::expand_dims(base, 1));
    }
    const Dim rows = scores.dim(0);
    const Dim batch = rows.operands().at(0);
    const Dim beam = rows.operands().at(1);
    const Value size = Value::of(args_.beam_size.as_int());
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

  Expr search(LayerBuilder& builder) const {
    Graph& graph = builder.graph();
    Data one = builder.out_data();
    one.dtype = DType::kFloat32;
    one.sparse_dim = Dim();
    Expr scores = log_scores(builder);
    const Dim labels = scores.dim(1);
    Expr base = builder.previous("scores", one).expr;
    builder.set_initial("scores", {});
    const Expr step = builder.loop_step();
    const Expr ended = builder.ended();
    base = keep_normalized(base, ended, step);
    // A sequence that has ended goes on with label 0 alone.
    const Expr zero =
        ops::binary(ops::Binary::kEqual, ops::range(graph, labels), ops::constant(graph, 0, DType::kInt32));
    const Expr only_zero =
        ops::expand_dims(ops::where(zero, ops::constant(graph, 0.0), ops::constant(graph, -1e30)), 0);
    scores = ops::where(ops::expand_dims(ended, 1), only_zero, scores);
    if (!args_.prob_scale.is_none()) scores = ops::scale(scores, args_.prob_scale.as_float());
    if (!args_.base_beam_score_scale.is_none()) base = ops::scale(base, args_.base_beam_score_scale.as_float());
    scores = combined(builder, scores, base, step, ended);
    const ops::BeamStep best = ops::beam_step(scores, step, args_.beam_size.as_int(), is_on(args_.keep_beams));
    const Expr picked = ops::pick_last(ops::gather(scores, best.rows), best.labels);
    const double worst = -std::numeric_limits<double>::infinity();
    builder.add_sub_output("scores", {one, ops::where(best.valid, picked, ops::constant(graph, worst))});
    Data rows = one;
    rows.dtype = DType::kInt32;
    builder.add_sub_output("src_rows", {rows, best.rows});
    return best.labels;
  }

  ChoiceArgs args_;
};

struct DecideArgs {
  Value length_normalization;

  template <class V>
  void fields(V& v) {
    v.field("length_normalization", length_normalization, "search: scores by length");
  }
};

/// The best hypothesis of each sequence, cut to the longest of these. Without a search: the source, batch-major.
class DecideLayer : public Layer {
 public:
  explicit DecideLayer(DecideArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("decide takes one input, got {}", context.sources.size()));
    }
    const Data& x = context.sources[0];
    if (!x.has_batch()) {
      return x.with_name(context.name);
    }
    Data out = x.permuted(batch_first(x)).with_name(context.name);
    if (!out.dims[0].same_size(context.batch_dim)) {
      out.dims[0] = context.batch_dim;
      for (size_t axis = 1; axis < out.dims.size(); ++axis) {
        if (out.dims[axis].is_dynamic()) out.dims[axis] = Dim::dynamic("decided:" + context.absolute_name);
      }
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.source(0);
    if (!x.data.has_batch()) {
      return x.expr;
    }
    const Expr all = ops::permute(x.expr, batch_first(x.data));
    const Data& out = builder.out_data();
    return out.dims[0].same_size(all.dim(0)) ? all : best(builder, all, x);
  }

 private:
  Expr best(LayerBuilder& builder, Expr all, const LayerOutput& x) const {
    const Beam* beam = builder.source_beam(0);
    if (!beam) {
      throw builder.context().options.error("decide: the input has hypotheses, but not the scores of a search: " +
                                            x.data.str());
    }
    const Data& out = builder.out_data();
    Expr scores = beam->scores;
    if (!args_.length_normalization.is_none() && args_.length_normalization.as_bool()) {
      scores = ops::div(scores, ops::cast(builder.lengths(x.data.time_dim()), DType::kFloat32));
    }
    const Dim size = Dim::fixed(beam->size);
    const Expr index = ops::argmax(ops::reshape(scores, {out.dims[0], size}), 1);
    const Expr first = ops::mul(ops::range(builder.graph(), out.dims[0]),
                                ops::constant(builder.graph(), static_cast<double>(beam->size), DType::kInt32));
    const Expr rows = ops::add(first, index);
    Expr result = ops::gather(all, rows);
    for (int axis = 1; axis < result.rank(); ++axis) {
      if (result.dim(axis).is_static()) continue;
      const Expr lengths = builder.lengths(result.dim(axis));
      const bool of_hypotheses = !lengths.dim(0).same_size(out.dims[0]);
      ops::found_lengths(of_hypotheses ? ops::gather(lengths, rows) : lengths, out.dims[static_cast<size_t>(axis)]);
      result = ops::cut(result, axis, out.dims[static_cast<size_t>(axis)]);
    }
    return result;
  }

  static std::vector<int> batch_first(const Data& x) {
    std::vector<int> order{x.batch_axis()};
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (axis != x.batch_axis()) {
        order.push_back(axis);
      }
    }
    return order;
  }

  DecideArgs args_;
};

struct BeamScoresArgs {
  template <class V>
  void fields(V&) {}
};

class BeamScoresLayer : public Layer {
 public:
  explicit BeamScoresLayer(const BeamScoresArgs&) {}
  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1 || !context.sources[0].has_batch()) {
      throw context.options.error("choice_get_beam_scores takes one input with a batch axis");
    }
    Data out;
    out.name = context.name;
    out.dims = {context.sources[0].dims[static_cast<size_t>(context.sources[0].batch_axis())]};
    return out;
  }
  Expr build(LayerBuilder& builder) override {
    const Beam* beam = builder.source_beam(0);
    if (!beam) {
      throw builder.context().options.error("choice_get_beam_scores needs the result of a search");
    }
    return beam->scores;
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

const RegisterLayer<BeamScoresLayer, BeamScoresArgs> kRegisterScores{
    "choice_get_beam_scores", {}, "Of the result of a search: the scores of all hypotheses, [B*beam].", {}};

}  // namespace
}  // namespace wende
