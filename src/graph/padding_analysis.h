#pragma once

#include "graph/program.h"

namespace wende {

/// Finds the steps whose padded frames nobody needs, and notes there which value says where the padding is.
/// Padding is needed where a fetch or an op that may look at all frames reads it. Where gradients are zero in padding
/// (behind masked losses and recurrent layers), sums over frames need none of it.
/// pack: values whose padding nobody needs get a layout without it, if all ops that touch them can do with that.
void find_padding(const Graph& graph, Program& program, bool pack);

/// Rows of the two leading axes [B,T,...] (time_major: [T,B,...]) that are frames of a sequence, ascending.
std::vector<int64_t> rows_within(const std::vector<int32_t>& lengths, const Shape& shape, bool time_major);
/// How many those are.
int64_t frames_within(const std::vector<int32_t>& lengths, const Shape& shape, bool time_major);

}  // namespace wende
