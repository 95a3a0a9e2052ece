#pragma once

#include <string>

namespace wende {

/// The bytes of a file, inflated where its name ends in ".gz". Absent 66, unreadable 74, damaged 65.
std::string read_text_file(const std::string& path);

}  // namespace wende
