#pragma once

#include <memory>

#include "graph/graph.h"
#include "kernels/candidate_sampler.h"

namespace wende::ops {

struct Candidates {
  Expr classes;           ///< int32 [S], all different
  Expr expected_true;     ///< float [N]: expected number of occurrences of each label in such a sample
  Expr expected_classes;  ///< float [S]
};

/// Fresh candidates in each step, keyed by `key`; labels: int32 [N].
Candidates sample_candidates(Expr labels, std::shared_ptr<const cpu::CandidateSampler> sampler, int64_t count,
                             uint32_t key);

}  // namespace wende::ops
