#pragma once

#include <functional>
#include <string>

#include "config/value.h"
#include "tensor/tensor.h"

namespace wende {

using Initializer = std::function<void(const Tensor& target, uint64_t graph_seed)>;

/// From an option as RETURNN's get_initializer reads it: number, name with or without "_initializer", dict with class,
/// expression string. None: `fallback`. The values are TensorFlow's for this graph seed and the initialiser's own seed:
/// `op_seed`, unless the option says another.
Initializer make_initializer(const Value& option, const std::string& fallback, uint32_t op_seed);

}  // namespace wende
