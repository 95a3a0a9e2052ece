#include "layers/choice_scores.h"

#include <fmt/core.h>

#include <limits>

#include "ops/beam_search.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/run_value.h"
#include "ops/shape.h"
#include "ops/softmax.h"
#include "ops/top_k.h"

namespace wende {

Expr choice_log_scores(LayerBuilder& builder, int source, const Value& type) {
  const Expr x = builder.source(source).expr;
  const std::string name = type.is_none() ? "prob" : type.as_string();
  if (name == "prob") {
    const LayerOutput logits = builder.source_sub_output(source, "logits:softmax");
    return logits.expr.defined() ? ops::log_softmax(logits.expr) : ops::unary(ops::Unary::kSafeLog, x);
  }
  if (name == "logits") {
    return ops::log_softmax(x);
  }
  if (name != "log_prob") {
    throw type.error("input_type is \"prob\", \"log_prob\", \"logits\" or \"regression\" in search, got " +
                     type.repr());
  }
  return x;
}

Expr scores_of_ended(Expr scores, Expr ended) {
  Graph& graph = *scores.graph;
  const Expr zero = ops::binary(ops::Binary::kEqual, ops::range(graph, scores.dim(1)), ops::int_constant(graph, 0));
  const Expr only_zero = ops::expand_dims(ops::where(zero, ops::constant(graph, 0.0), ops::constant(graph, -1e30)), 0);
  return ops::where(ops::expand_dims(ended, 1), only_zero, scores);
}

Expr keep_normalized(Expr scores, Expr ended, Expr step, double exponent) {
  Graph& graph = *scores.graph;
  const Expr t = ops::cast(step, DType::kFloat32);
  const Expr growth =
      ops::binary(ops::Binary::kPow, ops::div(ops::add_scalar(t, 1.0), t), ops::constant(graph, exponent));
  return ops::mul(scores, ops::where(ended, growth, ops::constant(graph, 1.0)));
}

PrunedSources combine_sources(const std::vector<Expr>& scores, const std::vector<int64_t>& sizes) {
  PrunedSources pruned;
  pruned.sizes = sizes;
  int64_t combinations = 1;
  for (size_t i = 0; i < scores.size(); ++i) {
    const ops::TopK best = ops::top_k(scores[i], Dim::fixed(sizes[i]));
    pruned.labels.push_back(best.indices);
    combinations *= sizes[i];
    pruned.scores = i == 0
                        ? best.values
                        : ops::reshape(ops::add(ops::expand_dims(pruned.scores, 2), ops::expand_dims(best.values, 1)),
                                       {best.values.dim(0), Dim::fixed(combinations)});
  }
  return pruned;
}

std::vector<Expr> labels_of_combinations(const PrunedSources& pruned, Expr combinations, Expr rows) {
  std::vector<Expr> labels(pruned.labels.size());
  Expr rest = combinations;
  for (size_t i = labels.size(); i-- > 0;) {
    const Expr size = ops::int_constant(*rest.graph, pruned.sizes[i]);
    const Expr& table = pruned.labels[i];
    const Dim places = Dim::derived(Dim::Op::kMul, {table.dim(0), table.dim(1)}, Dim::Kind::kSpatial);
    const Expr place = ops::add(ops::mul(rows, size), ops::binary(ops::Binary::kMod, rest, size));
    labels[i] = ops::gather(ops::reshape(table, {places}), place);
    rest = ops::binary(ops::Binary::kFloorDiv, rest, size);
  }
  return labels;
}

namespace {

int64_t beam_size(const Dim& hypotheses) { return hypotheses.operands().at(1).size(); }
Expr equal(Expr a, Expr b) { return ops::binary(ops::Binary::kEqual, a, b); }
Expr mod(Expr x, int64_t n) { return ops::binary(ops::Binary::kMod, x, ops::int_constant(*x.graph, n)); }
Expr div(Expr x, int64_t n) { return ops::binary(ops::Binary::kFloorDiv, x, ops::int_constant(*x.graph, n)); }

/// Where the gold label stands before and after a choice.
struct GoldPlaces {
  Expr candidate;  ///< bool [B*from,V]
  Expr chosen;     ///< bool [B*to]
  Expr labels;     ///< int32 [B*to]
  Expr rows;       ///< int32 [B*to]
};

GoldPlaces gold_places(Expr scores, const Dim& chosen, const GoldLabel& gold) {
  Graph& graph = *scores.graph;
  const int64_t from = beam_size(scores.dim(0));
  const int64_t to = beam_size(chosen);
  const Expr last_label = ops::sub(ops::dim_size(graph, scores.dim(1)), ops::int_constant(graph, 1));
  const Expr labels = ops::binary(ops::Binary::kMaximum, ops::int_constant(graph, 0),
                                  ops::binary(ops::Binary::kMinimum, gold.labels, last_label));
  const auto source_of = [&](Expr sequence) {
    return gold.source.rank() == 0 ? gold.source : ops::gather(gold.source, sequence);
  };
  const Expr row = ops::range(graph, scores.dim(0));
  const Expr is_source = equal(mod(row, from), source_of(div(row, from)));
  const Expr label_of_row = ops::gather(labels, div(row, from));
  const Expr is_label = equal(ops::expand_dims(ops::range(graph, scores.dim(1)), 0), ops::expand_dims(label_of_row, 1));
  const Expr place = ops::range(graph, chosen);
  const Expr sequence = div(place, to);
  return {ops::binary(ops::Binary::kLogicalAnd, is_label, ops::expand_dims(is_source, 1)),
          equal(mod(place, to), ops::int_constant(graph, to - 1)), ops::gather(labels, sequence),
          ops::add(ops::mul(sequence, ops::int_constant(graph, from)), source_of(sequence))};
}

}  // namespace

ChosenLabels choose_labels(Expr scores, Expr step, const Dim& to, bool keep_beams, const GoldLabel& gold) {
  const Expr worst = ops::constant(*scores.graph, -std::numeric_limits<double>::infinity());
  const auto score_of = [](Expr of, Expr rows, Expr labels) { return ops::pick_last(ops::gather(of, rows), labels); };
  const GoldPlaces at = gold.labels.defined() ? gold_places(scores, to, gold) : GoldPlaces();
  const Expr others = at.chosen.defined() && gold.exclusive ? ops::where(at.candidate, worst, scores) : scores;
  const ops::BeamStep best = ops::beam_step(others, step, beam_size(scores.dim(0)), beam_size(to), to, keep_beams);
  const Expr best_scores = ops::where(best.valid, score_of(others, best.rows, best.labels), worst);
  if (!at.chosen.defined()) {
    return {best.labels, best.rows, best_scores};
  }
  return {ops::where(at.chosen, at.labels, best.labels), ops::where(at.chosen, at.rows, best.rows),
          ops::where(at.chosen, score_of(scores, at.rows, at.labels), best_scores)};
}

}  // namespace wende
