#pragma once

#include "kernels/conv.h"

namespace wende::cpu {

/// Windows over up to three spatial axes, as a convolution walks. counted: the zeros around x are elements like others
/// (of the maximum, of the mean's count); else windows end at the border.
struct PoolGeometry {
  ConvGeometry walk;
  std::array<int64_t, 3> size{1, 1, 1};
  bool counted = false;
};

/// y [B,O...,C] = largest element, or mean, of each window of x [B,S...,C].
void max_pool(const Tensor& x, const PoolGeometry& geometry, const Tensor& y);
void mean_pool(const Tensor& x, const PoolGeometry& geometry, const Tensor& y);
/// dx for dy; the gradient of a maximum goes to its first place.
void max_pool_grad(const Tensor& x, const Tensor& dy, const PoolGeometry& geometry, const Tensor& dx);
void mean_pool_grad(const Tensor& dy, const PoolGeometry& geometry, const Tensor& dx);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(max_pool)
WENDE_CUDA_KERNEL(mean_pool)
WENDE_CUDA_KERNEL(max_pool_grad)
WENDE_CUDA_KERNEL(mean_pool_grad)
