#pragma once

#include "base/error.h"
#include "config/config.h"

namespace wende {

/// Names of a config that become file names: no control bytes; those that are one part of a path (data sets, layers)
/// no way out of their folder either, and no more bytes than a file name has.
void check_file_names(const Config& config, ErrorCollector& errors);

}  // namespace wende
