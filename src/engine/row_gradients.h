#pragma once

#include <map>
#include <string>

#include "config/config.h"
#include "engine/network_runner.h"

namespace wende {

/// RowSums of the parameters that only look-ups read, for RETURNN keeps their gradients as rows (TensorFlow's
/// IndexedSlices): squares where the config asks for norms, marks where the optimiser leaves other rows alone. Adds
/// nodes to the network's graph.
std::map<std::string, RowSumExprs> row_sums(const Config& config, const NetworkWithGradients& training);

}  // namespace wende
