#pragma once

#include <vector>

#include "optim/update_formula.h"
#include "tensor/tensor.h"

/// update_cuda.cu, or no_cuda_update.cpp in builds without CUDA.
namespace wende::cuda {

/// Pieces of the flat blocks of weights, in device memory: [n,2] of int64, first weight and number of weights. A block
/// of threads takes one.
constexpr int64_t kUpdatePiece = 8192;

/// All weights of the pieces in one launch; the gradient is multiplied by the factor first, and so is `gradients`.
/// slots: flat as `values`.
void update_weights(const UpdateFormula& formula, const Tensor& pieces, const Tensor& values, const Tensor& gradients,
                    const std::vector<Tensor>& slots, float gradient_factor);

}  // namespace wende::cuda
