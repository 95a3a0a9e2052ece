#pragma once

#include <string>

#include "config/config.h"
#include "dataset/batch.h"
#include "graph/executor.h"
#include "network/network.h"
#include "optim/param_store.h"

namespace wende {

class NetworkRunner;

/// Runs the last batch again with every output checked: the message of the first layer with a non-finite value, "" if
/// there is none. Gradients in the store are overwritten. Other ranks take no part.
std::string find_non_finite(NetworkRunner& runner, const RunOptions& options);

/// Writes config, batch and parameters as a case for `wende replay`.
void save_replay_case(const std::string& path, const Config& config, const Network& network, const Batch& batch,
                      const ParamStore& store);

}  // namespace wende
