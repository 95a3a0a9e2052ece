#pragma once

#include <string>

#include "collective/communicator.h"

namespace wende {

/// This rank's number among those of its host, as the launcher says or by comparing host names. All ranks call it.
int local_rank(Communicator& communicator);

/// Logs where the run runs: versions, then per rank host, local rank, device, threads and cores (one line per host when
/// there are many). All ranks call it. device: "cpu" or the name of this rank's device.
void log_rank_map(Communicator& communicator, const std::string& device);

/// Versions of this program and the libraries that it runs with.
std::string library_versions(const Communicator& communicator);

}  // namespace wende
