#pragma once

#include <string>

namespace wende {

/// Prints what a shell evaluates to complete wende's commands, options, layer classes and files.
void print_completion(const std::string& shell);

}  // namespace wende
