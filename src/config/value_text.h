#pragma once

#include <string>
#include <string_view>

namespace wende {

/// Python's repr of a float: shortest digits that read back the same, with ".0" where needed.
std::string float_repr(double value);

/// Python's repr of a str; single quotes unless the text has those only.
std::string string_repr(std::string_view text);

/// Whether a text as a whole reads as a number ("0.01", "10", "-1e-5").
bool looks_like_number(std::string_view text);

}  // namespace wende
