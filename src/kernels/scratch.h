#pragma once

#include <functional>

#include "tensor/tensor.h"

namespace wende::cpu {

/// Working memory for float32 of the given shape, for one call.
using Scratch = std::function<Tensor(Shape)>;
Tensor heap_scratch(Shape shape);

}  // namespace wende::cpu
