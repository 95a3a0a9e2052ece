#pragma once

#include <string>
#include <utility>
#include <vector>

#include "config/value.h"

namespace wende {

/// Takes the pairs "++key", "value" out of a command line and gives them without the "++": key, value, key, value ...
/// Throws kUsage where one is incomplete.
std::vector<std::string> take_overrides(std::vector<std::string>& args);

/// Values that are literals of Python are what they say, all else is a string, as in RETURNN. Placed on the "command
/// line". Throws kUsage where a value is missing or a key has no name.
std::vector<std::pair<std::string, Value>> parse_overrides(const std::vector<std::string>& words);

}  // namespace wende
