#pragma once

#include <cstdint>
#include <vector>

#include "graph/graph.h"
#include "kernels/ctc.h"

namespace wende::ops {

/// -log p(labels) per sequence: logits [B,T,V] (options.time_major: [T,B,V]), labels int32 [B,U], lengths int32 [B];
/// float [B]. The gradient goes to the logits and is what CtcOptions says.
Expr ctc_loss(Expr logits, Expr frame_lengths, Expr labels, Expr label_lengths, const cpu::CtcOptions& options);

/// Edit distance of the decoded label sequence to the labels: float [B], no gradient. beam_width 1: the best class of
/// each frame; else see kernels/ctc_decode.h. label_map: new label by label, applied to both sides; empty = none.
Expr ctc_edit_distance(Expr logits, Expr frame_lengths, Expr labels, Expr label_lengths, bool time_major,
                       int64_t beam_width, bool collapse_labels = false, std::vector<int> label_map = {});

/// Levenshtein distance of int32 sequences a [B,T], b [B,U]: float [B], no gradient.
Expr edit_distance(Expr a, Expr a_lengths, Expr b, Expr b_lengths, std::vector<int> label_map = {});

/// BLEU of int32 sequences against references (see kernels/bleu.h): float [B], no gradient.
Expr bleu_score(Expr hypothesis, Expr hypothesis_lengths, Expr reference, Expr reference_lengths);

}  // namespace wende::ops
