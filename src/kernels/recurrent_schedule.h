#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tensor/tensor.h"

namespace wende::cpu {

/// Working memory for float32 of the given shape, for one call.
using Scratch = std::function<Tensor(Shape)>;
Tensor heap_scratch(Shape shape);

/// Which rows of [T,B] a recurrent layer visits in which step. Sequences are sorted by length (longest first), so that
/// the active ones are always the first rows of compact buffers and padding is never computed.
class RecurrentSchedule {
 public:
  /// lengths int32 [B]; direction -1 starts at each sequence's own last frame.
  RecurrentSchedule(const Tensor& lengths, int64_t max_time, int direction);

  int64_t steps() const { return static_cast<int64_t>(active_.size()); }
  int64_t batch() const { return static_cast<int64_t>(order_.size()); }
  int64_t frames() const { return frames_; }
  int64_t active(int64_t step) const { return active_[static_cast<size_t>(step)]; }
  /// Batch index of compact row r.
  int64_t sequence(int64_t r) const { return order_[static_cast<size_t>(r)]; }
  /// Row of [T*B] of compact row r in a step.
  int64_t row(int64_t r, int64_t step) const {
    const int64_t frame = direction_ > 0 ? step : lengths_[static_cast<size_t>(r)] - 1 - step;
    return frame * batch() + sequence(r);
  }

  /// Copies rows [B,n] to compact order, or writes zeros for an undefined tensor; and back.
  void load(const Tensor& rows, int64_t n, float* compact) const;
  void store(const float* compact, const Tensor& rows) const;
  /// Zeros in the padding of [T,B,n].
  void clear_padding(const Tensor& x) const;

 private:
  int direction_;
  int64_t max_time_;
  int64_t frames_ = 0;
  std::vector<int32_t> order_;
  std::vector<int32_t> lengths_;  ///< by compact row
  std::vector<int64_t> active_;
};

/// Sums a^T b over the frames of all steps. Rows are collected and multiplied in chunks: large products, little memory.
class WeightGradSum {
 public:
  /// out [columns_a, columns_b]; rows: capacity, at least those of one step.
  WeightGradSum(const Tensor& out, int64_t most_per_step, int64_t frames, const Scratch& scratch);
  /// Starts a step with so many rows; a() and b() are to be filled with them.
  void begin(int64_t rows);
  float* a() const { return a_ + used_ * columns_a_; }
  float* b() const { return b_ + used_ * columns_b_; }
  void end() { used_ += rows_; }
  void finish();

 private:
  void flush();

  float* out_;
  int64_t columns_a_;
  int64_t columns_b_;
  int64_t capacity_;
  int64_t used_ = 0;
  int64_t rows_ = 0;
  bool first_ = true;
  Tensor memory_a_;
  Tensor memory_b_;
  float* a_;
  float* b_;
};

}  // namespace wende::cpu
