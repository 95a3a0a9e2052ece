#pragma once

#include <string>
#include <vector>

namespace wende {

/// Top-level options that RETURNN reads (with or without effect here): what a misspelt name may have meant.
const std::vector<std::string>& known_options();

}  // namespace wende
