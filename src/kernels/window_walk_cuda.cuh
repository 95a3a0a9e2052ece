#pragma once

#include "kernels/conv.h"

/// For CUDA sources: how windows of up to three spatial axes lie over x [B,S...,C], for outputs y [B,O...,N]. A plain
/// value; missing axes have size 1.
namespace wende::cuda {

struct WindowWalk {
  int64_t in[3];
  int64_t out[3];
  int64_t size[3];
  int64_t stride[3];
  int64_t dilation[3];
  int64_t left[3];

  /// window: its size along the axes of the geometry.
  static WindowWalk make(const Tensor& x, const Tensor& y, const cpu::ConvGeometry& geometry, const int64_t* window) {
    WindowWalk walk{};
    for (int i = 0; i < 3; ++i) {
      const int axis = i - (3 - geometry.rank);
      const auto from = static_cast<size_t>(axis < 0 ? 0 : axis);
      walk.in[i] = axis < 0 ? 1 : x.dim(axis + 1);
      walk.out[i] = axis < 0 ? 1 : y.dim(axis + 1);
      walk.size[i] = axis < 0 ? 1 : window[from];
      walk.stride[i] = axis < 0 ? 1 : geometry.strides[from];
      walk.dilation[i] = axis < 0 ? 1 : geometry.dilations[from];
      walk.left[i] = axis < 0 ? 0 : geometry.left[from];
    }
    return walk;
  }

  __host__ __device__ int64_t places() const { return size[0] * size[1] * size[2]; }  ///< of a window
  __host__ __device__ int64_t outputs() const { return out[0] * out[1] * out[2]; }    ///< of one sequence
  __host__ __device__ int64_t inputs() const { return in[0] * in[1] * in[2]; }        ///< of one sequence

  /// Row of x within its sequence that place k of the window of output o covers; -1: outside.
  __device__ int64_t input_of(int64_t o, int64_t k) const {
    int64_t row = 0;
    int64_t scale = 1;
    for (int i = 2; i >= 0; --i) {
      const int64_t at = o % out[i] * stride[i] + k % size[i] * dilation[i] - left[i];
      o /= out[i];
      k /= size[i];
      if (at < 0 || at >= in[i]) return -1;
      row += at * scale;
      scale *= in[i];
    }
    return row;
  }

  /// The output whose window has row s of x at its place k; -1: none.
  __device__ int64_t output_of(int64_t s, int64_t k) const {
    int64_t row = 0;
    int64_t scale = 1;
    for (int i = 2; i >= 0; --i) {
      const int64_t reach = s % in[i] + left[i] - k % size[i] * dilation[i];
      s /= in[i];
      k /= size[i];
      if (reach < 0 || reach % stride[i] != 0 || reach / stride[i] >= out[i]) return -1;
      row += reach / stride[i] * scale;
      scale *= out[i];
    }
    return row;
  }
};

}  // namespace wende::cuda
