#pragma once

#include "graph/graph.h"

namespace wende::ops {

struct BeamStep {
  Expr labels;  ///< int32 [B*beam]
  Expr rows;    ///< int32 [B*beam]: the hypothesis that each new one goes on from, as a row of [B*beam]
  Expr valid;   ///< bool [B*beam]: false for places that had no candidate; they hold label 0
};

/// The best continuations of each sequence, best first: scores [B*beam,V] of hypothesis and label together; of equal
/// ones the first. In step 0 only the first hypothesis counts. keep_beams: each hypothesis goes on with its best label.
BeamStep beam_step(Expr scores, Expr step, int64_t beam, bool keep_beams);

struct BeamTrace {
  Expr chosen;  ///< int32 [T,B*beam]: where hypothesis k of the last step was after the choice of step t
  Expr before;  ///< the same before that choice
};

/// Where the final hypotheses come from: rows [T,B*beam] of beam_step, of which the first `steps` (int32 scalar) count.
/// The results are rows of values [T*B*beam,...].
BeamTrace trace_beams(Expr rows, Expr steps);

}  // namespace wende::ops
