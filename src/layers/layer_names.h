#pragma once

#include <initializer_list>
#include <string>
#include <vector>

#include "config/value.h"

namespace wende {

/// What Layer::refs() gives for options that hold a layer's name or something else, as a number: the names among them.
std::vector<std::string> layer_names(std::initializer_list<const Value*> options);

}  // namespace wende
