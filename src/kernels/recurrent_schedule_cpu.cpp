#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "kernels/gemm.h"
#include "kernels/recurrent_schedule.h"

namespace wende::cpu {

Tensor heap_scratch(Shape shape) { return Tensor::empty(DType::kFloat32, shape); }

RecurrentSchedule::RecurrentSchedule(const Tensor& lengths, int64_t max_time, int direction) : max_time_(max_time) {
  const int32_t* from = lengths.data<int32_t>();
  const auto batch = static_cast<size_t>(lengths.elements());
  order_.resize(batch);
  std::iota(order_.begin(), order_.end(), 0);
  rows_.reserve(batch * static_cast<size_t>(max_time));
  std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return from[a] > from[b]; });
  for (const int64_t sequence : order_) {
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
    begin_.push_back(static_cast<int64_t>(rows_.size()));
    for (size_t r = 0; r < count; ++r) {
      const int64_t frame = direction > 0 ? step : lengths_[r] - 1 - step;
      rows_.push_back(frame * static_cast<int64_t>(batch) + order_[r]);
    }
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

StepMatrix::StepMatrix(const Tensor& w, bool transposed, const RecurrentSchedule& schedule, const Scratch& scratch)
    : w_(w), transposed_(transposed) {
  // Arranging the weights costs as much as a product with some 25 rows.
  constexpr int64_t kFramesWorthPacking = 192;
  if (schedule.frames() < kFramesWorthPacking) return;
  const int64_t k = w.dim(transposed ? 1 : 0);
  const int64_t n = w.dim(transposed ? 0 : 1);
  packed_.emplace(
      w.data<float>(), k, n, transposed, schedule.batch(), scratch,
      step_product_tiles(k, n, static_cast<double>(schedule.frames()) / static_cast<double>(schedule.steps())));
}

void StepMatrix::multiply(int64_t m, const RowView& a, const RowView& c, bool add) const {
  if (packed_) return packed_->multiply(m, a, c, nullptr, add);
  const int64_t k = w_.dim(transposed_ ? 1 : 0);
  const int64_t n = w_.dim(transposed_ ? 0 : 1);
  const int64_t rows_at_once = a.list || c.list ? 1 : m;
  for (int64_t row = 0; row < m; row += rows_at_once) {
    gemm(false, transposed_, rows_at_once, n, k, 1.0f, a.row(row), a.stride, w_.data<float>(), w_.dim(1),
         add ? 1.0f : 0.0f, c.row(row), c.stride);
  }
}

void recurrent_weight_grad(const RecurrentSchedule& schedule, const Tensor& y, const Tensor& h0, const Tensor& gradient,
                           const Scratch& scratch, const Tensor& out) {
  std::vector<int64_t> previous;
  for (int64_t step = 1; step < schedule.steps(); ++step) {
    previous.insert(previous.end(), schedule.rows(step - 1), schedule.rows(step - 1) + schedule.active(step));
  }
  const int64_t m = out.dim(0);
  const int64_t n = out.dim(1);
  const auto count = static_cast<int64_t>(previous.size());
  const int64_t* after_first = count > 0 ? schedule.rows(1) : nullptr;
  transposed_product(count, {y.data<float>(), m, previous.data()}, m, {gradient.data<float>(), n, after_first}, n,
                     false, out.data<float>(), nullptr, scratch);
  if (!h0.defined() || schedule.steps() == 0) return;
  transposed_product(schedule.active(0), {h0.data<float>(), m, schedule.sequences()}, m,
                     {gradient.data<float>(), n, schedule.rows(0)}, n, true, out.data<float>(), nullptr, scratch);
}

}  // namespace wende::cpu
