#pragma once

#include <cstdint>
#include <vector>

namespace wende::cpu {

/// BLEU of one sequence against one reference: n-grams up to 4, geometric mean smoothed by halving for orders without
/// a match, brevity penalty (Papineni 2002 as in Tensor2Tensor).
double bleu_score(const std::vector<int32_t>& reference, const std::vector<int32_t>& hypothesis);

}  // namespace wende::cpu
