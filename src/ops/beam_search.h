#pragma once

#include "graph/graph.h"

namespace wende::ops {

struct BeamStep {
  Expr labels;  ///< int32 [B*to]
  Expr rows;    ///< int32 [B*to]: the hypothesis that each new one goes on from, as a row of [B*from]
  Expr valid;   ///< bool [B*to]: false for places that had no candidate; they hold label 0
};

/// The best continuations of each sequence, best first: scores [B*from,V] of hypothesis and label together; of equal
/// ones the first. `chosen`: the axis [B*to] of the result. In step 0 only the first hypothesis counts; with an
/// undefined step all do. keep_beams: each hypothesis goes on with its best to / from labels.
BeamStep beam_step(Expr scores, Expr step, int64_t from, int64_t to, const Dim& chosen, bool keep_beams);

struct BeamTrace {
  Expr chosen;  ///< int32 [T,B*beam]: where hypothesis k of the last step was after the choice of step t
  Expr before;  ///< the same before that choice
};

/// Where the final hypotheses come from: rows [T,B*beam] of beam_step, of which the first `steps` (int32 scalar) count.
/// The results are rows of values [T*B*beam,...].
BeamTrace trace_beams(Expr rows, Expr steps);

}  // namespace wende::ops
