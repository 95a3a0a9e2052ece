#pragma once

#include <map>
#include <string>

#include "collective/communicator.h"

namespace wende {

/// All ranks: their spans in one file of Chrome's trace format (chrome://tracing, ui.perfetto.dev), written by rank 0.
/// origin: this rank's monotonic time at a moment that is the same for all (after a barrier).
void write_trace(Communicator& communicator, const std::string& path, double origin);

/// A table of where the time went, from seconds by "layer/operation": per layer, with its dearest operations.
std::string profile_table(const std::map<std::string, double>& seconds_by_scope);

/// "memory: 812 MB in this process, 120 MB of parameters, gradients and optimiser, 540 MB for the values of a step"
std::string memory_line(size_t state_bytes, size_t step_bytes);

}  // namespace wende
