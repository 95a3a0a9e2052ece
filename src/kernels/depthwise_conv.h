#pragma once

#include "kernels/conv.h"

namespace wende::cpu {

/// One spatial axis, windows one element apart, and for each channel a filter of its own: no matrix product, which
/// is what libraries make of convolutions, but a few vector operations per element.
bool is_depthwise(const Tensor& x, const Tensor& w, const Tensor& y, const ConvGeometry& geometry);

/// As conv and its transpositions: x [B,S,C], w [K,1,C], y [B,O,C].
void depthwise_conv(const Tensor& x, const Tensor& w, const ConvGeometry& geometry, const Tensor& y);
void depthwise_conv_input_grad(const Tensor& dy, const Tensor& w, const ConvGeometry& geometry, const Tensor& dx);
void depthwise_conv_filter_grad(const Tensor& x, const Tensor& dy, const ConvGeometry& geometry, const Tensor& dw);

}  // namespace wende::cpu
