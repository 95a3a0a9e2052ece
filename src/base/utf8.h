#pragma once

#include <string>

namespace wende {

/// Appends the code point in UTF-8.
void append_utf8(std::string& out, unsigned code);

}  // namespace wende
