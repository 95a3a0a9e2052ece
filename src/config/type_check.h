#pragma once

#include <string>

#include "config/value.h"

namespace wende {

/// Checks a value against a type as docs write it: alternatives with "|" of bool, int, float, str, list, tuple, set,
/// dict, function, Dim, array, None ("float|None", "list[str]|None": what is in brackets is not checked). Throws
/// kConfig at the value.
void check_type(const Value& value, const std::string& type);

}  // namespace wende
