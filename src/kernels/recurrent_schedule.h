#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "kernels/row_product.h"
#include "kernels/scratch.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Which rows of [T,B] a recurrent layer visits in which step. Sequences are sorted by length (longest first), so that
/// the active ones are always the first rows of compact buffers and padding is never computed. Tensors of frames are
/// [T,B,n], or [frames,n] without the padding.
class RecurrentSchedule {
 public:
  /// lengths int32 [B]; direction -1 starts at each sequence's own last frame.
  RecurrentSchedule(const Tensor& lengths, int direction);

  int64_t steps() const { return static_cast<int64_t>(active_.size()); }
  int64_t batch() const { return static_cast<int64_t>(order_.size()); }
  int64_t frames() const { return frames_; }
  int64_t active(int64_t step) const { return active_[static_cast<size_t>(step)]; }
  /// Batch index of compact row r.
  int64_t sequence(int64_t r) const { return order_[static_cast<size_t>(r)]; }
  const int64_t* sequences() const { return order_.data(); }
  /// Number of frames in the steps before.
  int64_t first(int64_t step) const { return begin_[static_cast<size_t>(step)]; }
  /// The frames of a tensor in the order of visits: those of a step, by compact row, begin at first(step). Undefined
  /// tensors have no data.
  RowView frames_of(const Tensor& x) const;

  /// Copies rows [B,n] to compact order, or writes zeros for an undefined tensor; and back.
  void load(const Tensor& rows, int64_t n, float* compact) const;
  void store(const float* compact, const Tensor& rows) const;
  /// Zeros in the padding, if there is any.
  void clear_padding(const Tensor& x) const;

 private:
  bool is_packed(const Tensor& x) const { return x.elements() == frames_ * x.dim(-1); }
  void number_packed_rows();

  int64_t frames_ = 0;
  std::vector<int64_t> order_;
  std::vector<int32_t> lengths_;  ///< by compact row
  std::vector<int64_t> active_;
  std::vector<int64_t> begin_;        ///< by step
  std::vector<int64_t> rows_;         ///< of [T*B], by visit
  std::vector<int64_t> packed_rows_;  ///< of [frames], by visit
};

/// The recurrent matrix of a layer, or its transpose, as the right side of one product per step.
class StepMatrix {
 public:
  /// w [rows,columns]. transposed: products are with its transpose.
  StepMatrix(const Tensor& w, bool transposed, const RecurrentSchedule& schedule, const Scratch& scratch);
  /// C [m,n] = (or, with add, +=) A [m,k] W.
  void multiply(int64_t m, const RowView& a, const RowView& c, bool add = false) const;

 private:
  const Tensor w_;
  bool transposed_;
  std::optional<PackedMatrix> packed_;
};

/// Adds up, over all frames, previous^T gradient: the gradient of a recurrent matrix. y: states, from which those of
/// the previous frames are taken; h0 [B,n] or undefined; gradient of n or more columns.
void recurrent_weight_grad(const RecurrentSchedule& schedule, const Tensor& y, const Tensor& h0, const Tensor& gradient,
                           const Scratch& scratch, const Tensor& out);

}  // namespace wende::cpu
