#pragma once

#include "base/error.h"
#include "config/config.h"

namespace wende {

/// Throws kConfig if a string has control bytes; other values pass.
void require_file_name(const Value& path, const char* what);

/// Names of a config that become file names: no control bytes; those that are one part of a path (data sets, layers)
/// no way out of their folder either, and no more bytes than a file name has.
void check_file_names(const Config& config, ErrorCollector& errors);

/// check_writable, where a mistake is one of the option that names the path.
void require_writable(const Config& config, const char* option, const std::string& path);

}  // namespace wende
