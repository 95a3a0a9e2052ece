#pragma once

#include <array>
#include <cstdint>

#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// How a convolution walks over up to three spatial axes. The output's sizes say how far.
struct ConvGeometry {
  int rank = 1;
  std::array<int64_t, 3> strides{1, 1, 1};
  std::array<int64_t, 3> dilations{1, 1, 1};
  std::array<int64_t, 3> left{0, 0, 0};  ///< zeros before the first element; after the last as many as it takes
  int64_t groups = 1;
};

/// y [B,O...,N] = sum over window k and c of x [B,o*stride+k*dilation-left,...,C] w [K...,C/groups,N].
void conv(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y);
/// Its transpositions: dx [B,S...,C] from dy and w; dw from x and dy.
void conv_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx);
void conv_filter_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(conv)
WENDE_CUDA_KERNEL(conv_input_grad)
WENDE_CUDA_KERNEL(conv_filter_grad)
