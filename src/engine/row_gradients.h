#pragma once

#include <map>
#include <string>

#include "config/config.h"
#include "engine/network_runner.h"

namespace wende {

/// Of the parameters that only look-ups read: the sum of squares of their gradient's rows before those of the same
/// label are added up. RETURNN's norms are of these (TensorFlow's IndexedSlices). Only where the config asks for norms;
/// adds nodes to the network's graph.
std::map<std::string, Expr> row_squares(const Config& config, const NetworkWithGradients& training);

}  // namespace wende
