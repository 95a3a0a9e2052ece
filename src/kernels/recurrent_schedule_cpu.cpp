#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "kernels/gemm.h"
#include "kernels/recurrent_schedule.h"

namespace wende::cpu {

Tensor heap_scratch(Shape shape) { return Tensor::empty(DType::kFloat32, shape); }

RecurrentSchedule::RecurrentSchedule(const Tensor& lengths, int64_t max_time, int direction)
    : direction_(direction), max_time_(max_time) {
  const int32_t* from = lengths.data<int32_t>();
  const auto batch = static_cast<size_t>(lengths.elements());
  order_.resize(batch);
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [&](int32_t a, int32_t b) { return from[a] > from[b]; });
  for (const int32_t sequence : order_) {
    const int32_t length = from[sequence];
    if (length < 0 || length > max_time) throw internal_error("recurrent layer: length outside of the time axis");
    lengths_.push_back(length);
    frames_ += length;
  }
  const int64_t steps = batch == 0 ? 0 : lengths_[0];
  size_t count = batch;
  for (int64_t step = 0; step < steps; ++step) {
    while (lengths_[count - 1] <= step) --count;
    active_.push_back(static_cast<int64_t>(count));
  }
}

void RecurrentSchedule::load(const Tensor& rows, int64_t n, float* compact) const {
  const size_t bytes = static_cast<size_t>(n) * sizeof(float);
  for (int64_t r = 0; r < batch(); ++r) {
    if (rows.defined()) {
      std::memcpy(compact + r * n, rows.data<float>() + sequence(r) * n, bytes);
    } else {
      std::memset(compact + r * n, 0, bytes);
    }
  }
}

void RecurrentSchedule::store(const float* compact, const Tensor& rows) const {
  const int64_t n = rows.dim(-1);
  for (int64_t r = 0; r < batch(); ++r) {
    std::memcpy(rows.data<float>() + sequence(r) * n, compact + r * n, static_cast<size_t>(n) * sizeof(float));
  }
}

void RecurrentSchedule::clear_padding(const Tensor& x) const {
  const int64_t n = x.dim(-1);
  float* to = x.data<float>();
  for (int64_t r = 0; r < batch(); ++r) {
    for (int64_t t = lengths_[static_cast<size_t>(r)]; t < max_time_; ++t) {
      std::memset(to + (t * batch() + sequence(r)) * n, 0, static_cast<size_t>(n) * sizeof(float));
    }
  }
}

WeightGradSum::WeightGradSum(const Tensor& out, int64_t most_per_step, int64_t frames, const Scratch& scratch)
    : out_(out.data<float>()), columns_a_(out.dim(0)), columns_b_(out.dim(1)) {
  constexpr int64_t kChunk = 1536;  // four blocks of the inner size that the GEMM library uses itself
  capacity_ = std::max(most_per_step, std::min(frames, kChunk));
  memory_a_ = scratch(Shape{capacity_, columns_a_});
  memory_b_ = scratch(Shape{capacity_, columns_b_});
  a_ = memory_a_.data<float>();
  b_ = memory_b_.data<float>();
}

void WeightGradSum::begin(int64_t rows) {
  if (used_ + rows > capacity_) flush();
  rows_ = rows;
}

void WeightGradSum::flush() {
  gemm(true, false, columns_a_, columns_b_, used_, 1.0f, a_, columns_a_, b_, columns_b_, first_ ? 0.0f : 1.0f, out_,
       columns_b_);
  first_ = false;
  used_ = 0;
}

void WeightGradSum::finish() {
  if (used_ > 0 || first_) flush();
}

}  // namespace wende::cpu
