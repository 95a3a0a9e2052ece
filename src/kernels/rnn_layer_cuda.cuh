#pragma once

#include <cstdint>
#include <vector>

#include "tensor/tensor.h"

/// For CUDA sources: what a recurrent layer by cuDNN needs besides.
namespace wende::cuda {

/// to[column * to_stride + row] = from[row * from_stride + column] + plus, for rows x columns numbers.
struct TransposedCopy {
  const float* from = nullptr;
  int64_t from_stride = 0;
  float* to = nullptr;
  int64_t to_stride = 0;
  int64_t rows = 0;
  int64_t columns = 0;
  float plus = 0.0f;
};

constexpr size_t kMostCopies = 12;
/// All in one launch; at most kMostCopies.
void copy_transposed(const std::vector<TransposedCopy>& copies);

/// Each sequence of x [T,B,n] backwards within its length, zeros in the padding.
void reverse_frames(const Tensor& x, const Tensor& lengths, const Tensor& out);

/// Zeros in the frames of x [T,B,n] behind each sequence.
void clear_padding(const Tensor& x, const Tensor& lengths);

}  // namespace wende::cuda
