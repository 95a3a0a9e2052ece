#pragma once

#include "tensor/tensor.h"

namespace wende {

/// No NaN and no infinity, wherever the tensor lives; true for integers. Needs contiguous().
bool numbers_finite(const Tensor& tensor);

}  // namespace wende
