#pragma once

#include <cstdint>
#include <vector>

namespace wende::cpu {

/// Levenshtein distance: substitutions, insertions and deletions cost 1.
int32_t edit_distance(const std::vector<int32_t>& a, const std::vector<int32_t>& b);

}  // namespace wende::cpu
