#pragma once

#include <map>
#include <string>

#include "config/value.h"

namespace wende {

/// The type of each general option (GeneralArgs), as check_type reads it and docs print it.
const std::map<std::string, std::string>& general_option_types();

/// Throws all wrong types among the general options of a layer's dict at once.
void check_general_types(const Value& options);

}  // namespace wende
