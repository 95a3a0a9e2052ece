#pragma once

#include <vector>

#include "layers/layer_builder.h"

namespace wende {

/// Log scores of all labels, of a choice's source: float32 [R,V]. type: the option input_type.
Expr choice_log_scores(LayerBuilder& builder, int source, const Value& type);

/// scores [R,V] of a sequence that has ended (bool [R]): label 0 alone goes on, at no cost.
Expr scores_of_ended(Expr scores, Expr ended);

/// The scores so far [R] of a sequence that has ended grow, so that score / length stays: by ((t + 1) / t) ^ exponent.
Expr keep_normalized(Expr scores, Expr ended, Expr step, double exponent);

/// The best combinations of labels of several sources.
struct PrunedSources {
  Expr scores;                 ///< [R,K]: sums of the scores of one of the best labels of each source
  std::vector<Expr> labels;    ///< by source: int32 [R,k], best first
  std::vector<int64_t> sizes;  /// k of each source
};
PrunedSources combine_sources(const std::vector<Expr>& scores, const std::vector<int64_t>& sizes);
/// By source, the labels of combinations int32 [N] of the hypotheses rows int32 [N].
std::vector<Expr> labels_of_combinations(const PrunedSources& pruned, Expr combinations, Expr rows);

/// A label that stays among the hypotheses whatever its score, at the last place of its beam.
struct GoldLabel {
  Expr labels;     ///< int32 [B]; undefined: there is none
  Expr source;     ///< int32 [B] or scalar: the hypothesis that it goes on from, counted in its beam
  bool exclusive;  ///< it is there only once
};
struct ChosenLabels {
  Expr labels, rows;  ///< int32 [B*to], as of ops::beam_step
  Expr scores;        ///< float32 [B*to]: -inf for places that had no candidate
};
/// ops::beam_step, whose arguments these are, with a gold label.
ChosenLabels choose_labels(Expr scores, Expr step, const Dim& to, bool keep_beams, const GoldLabel& gold);

}  // namespace wende
