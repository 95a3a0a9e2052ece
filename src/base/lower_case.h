#pragma once

#include <string>
#include <string_view>

namespace wende {

/// With ASCII letters in lower case; all other bytes as they are.
std::string lower_case(std::string_view text);

}  // namespace wende
