#pragma once

#include <string>

#include "config/value.h"

namespace wende {

/// Throws kConfig where a number under this name makes no sense whatever reads it (a dropout of 1.5, an L2 below zero,
/// a window of no frames), at its place. Lists are checked item by item; what is no number, and names without a range,
/// pass.
void check_range(const std::string& option, const Value& value);

}  // namespace wende
