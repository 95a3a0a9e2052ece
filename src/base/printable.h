#pragma once

#include <string>

namespace wende {

/// With control bytes other than tabs and line ends as "\x1b": names and tags from files shall do nothing to a
/// terminal.
std::string printable(std::string text);

}  // namespace wende
