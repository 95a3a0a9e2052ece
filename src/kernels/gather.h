#pragma once

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// out [...,inner] = rows of table [V,inner...] by int32 indices [...]; any dtype.
void gather(const Tensor& table, const Tensor& indices, const Tensor& out);
/// dtable [V,inner...] = dy scattered and added in the order of the indices.
void gather_grad(const Tensor& indices, const Tensor& dy, const Tensor& dtable);
/// out [...,depth]; an index outside of it gives a row of zeros.
void one_hot(const Tensor& indices, const Tensor& out);
/// out [...] = x [..., indices[...]].
void pick_last(const Tensor& x, const Tensor& indices, const Tensor& out);
void pick_last_grad(const Tensor& indices, const Tensor& dy, const Tensor& dx);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(gather)
WENDE_CUDA_KERNEL(gather_grad)
WENDE_CUDA_KERNEL(one_hot)
WENDE_CUDA_KERNEL(pick_last)
WENDE_CUDA_KERNEL(pick_last_grad)
