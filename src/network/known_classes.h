#pragma once

#include <string>

#include "base/error.h"

namespace wende {

/// The error for a class that no layer registers: one that RETURNN knows is "not supported", others are "unknown".
Error unsupported_class(const std::string& name);

/// Classes without inputs: a missing "from" means none.
bool has_no_default_input(const std::string& name);
/// May a layer of this class have the options "state" and "initial_state"?
bool has_state(const std::string& name);

/// Layers whose parameters get their new values in the optimiser's update (RETURNN's custom updates), not in the pass.
bool updates_with_optimizer(const std::string& name);

/// Layers whose frames depend on other frames: such nets get whole sequences.
bool is_recurrent_class(const std::string& name);

}  // namespace wende
