#include "optim/touched_rows.h"

#include <algorithm>

namespace wende {

std::vector<ShardRange> row_ranges(const std::vector<double>& marks, size_t inner, ShardRange part, bool touched) {
  std::vector<ShardRange> ranges;
  for (size_t row = 0; row < marks.size(); ++row) {
    if ((marks[row] > 0) != touched) continue;
    const size_t begin = std::clamp(row * inner, part.begin, part.end) - part.begin;
    const size_t end = std::clamp((row + 1) * inner, part.begin, part.end) - part.begin;
    if (begin == end) continue;
    if (!ranges.empty() && ranges.back().end == begin) {
      ranges.back().end = end;
    } else {
      ranges.push_back({begin, end});
    }
  }
  return ranges;
}

}  // namespace wende
