#pragma once

#include <vector>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

struct TensorCopy {
  Tensor from;
  Tensor to;  ///< as many bytes
};

/// Small contiguous tensors, none of which overlaps another one; on a GPU in one launch for up to 32 of them.
void copy_many(const std::vector<TensorCopy>& copies);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(copy_many)
