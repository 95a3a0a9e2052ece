#pragma once

#include <cstddef>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Element-wise copy between two strided layouts of one shape (elements of 1, 4 or 8 bytes; strides in elements).
void strided_copy(const Shape& shape, size_t element_bytes, const std::byte* source, const Shape& source_strides,
                  std::byte* target, const Shape& target_strides);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(strided_copy)
