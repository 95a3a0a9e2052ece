#pragma once

#include <functional>
#include <string>

#include "config/value.h"
#include "tensor/tensor.h"

namespace wende {

using Initializer = std::function<void(const Tensor& target, uint64_t seed)>;

/// From an option as RETURNN's get_initializer reads it: number, name with or without "_initializer", dict with class,
/// expression string. None: `fallback`. The values depend on (seed, name of the parameter) only.
Initializer make_initializer(const Value& option, const std::string& fallback, const std::string& param_name);

}  // namespace wende
