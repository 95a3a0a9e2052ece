#pragma once

#include <vector>

#include "config/config.h"
#include "network/network.h"

namespace wende {

/// What can be said about the top-level options before anything is built or opened: types, ranges, class names.
/// Throws all mistakes at once.
void check_config(const Config& config);

/// Accepted, but probably not meant: names close to an option that is not given, keys written twice, axes as numbers.
std::vector<Diagnostic> config_warnings(const Config& config);

/// The warning for a layer that nothing needs.
Diagnostic unreached_layer(const Config& config, const std::string& name);

/// Training needs a loss; the error names the network's place.
void require_loss(const Config& config, const Network& network);

}  // namespace wende
