#pragma once

#include <string>

#include "config/value.h"

namespace wende {

/// The type of a class's own option as RETURNN documents it, in the words of check_type; "" where the layer itself
/// reads the value by its type.
std::string own_option_type(const std::string& layer_class, const std::string& option);
/// All own options of a layer; throws kConfig with all wrong ones, each at its place.
void check_own_types(const std::string& layer_class, const Value& options);

}  // namespace wende
