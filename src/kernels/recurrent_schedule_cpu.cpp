#include <fmt/core.h>

#include <algorithm>
#include <cstring>
#include <numeric>

#include "base/error.h"
#include "kernels/gemm.h"
#include "kernels/recurrent_schedule.h"

namespace wende::cpu {

Tensor heap_scratch(Shape shape) { return Tensor::empty(DType::kFloat32, shape); }

RecurrentSchedule::RecurrentSchedule(const Tensor& lengths, int direction) {
  const int32_t* from = lengths.data<int32_t>();
  const auto batch = static_cast<size_t>(lengths.elements());
  order_.resize(batch);
  std::iota(order_.begin(), order_.end(), 0);
  std::stable_sort(order_.begin(), order_.end(), [&](int64_t a, int64_t b) { return from[a] > from[b]; });
  for (const int64_t sequence : order_) {
    const int32_t length = from[sequence];
    if (length < 0) throw internal_error("recurrent layer: a negative length");
    lengths_.push_back(length);
    frames_ += length;
  }
  const int64_t steps = batch == 0 ? 0 : lengths_[0];
  rows_.reserve(static_cast<size_t>(frames_));
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
  number_packed_rows();
}

void RecurrentSchedule::number_packed_rows() {
  std::vector<int64_t> number(static_cast<size_t>(steps() * batch()), 0);
  for (const int64_t row : rows_) number[static_cast<size_t>(row)] = 1;
  int64_t before = 0;
  for (int64_t& entry : number) {
    const int64_t here = entry;
    entry = before;
    before += here;
  }
  packed_rows_.reserve(rows_.size());
  for (const int64_t row : rows_) packed_rows_.push_back(number[static_cast<size_t>(row)]);
}

RowView RecurrentSchedule::frames_of(const Tensor& x) const {
  if (!x.defined()) return {nullptr, 0, rows_.data()};
  if (is_packed(x)) return {x.data<float>(), x.dim(-1), packed_rows_.data()};
  if (x.rank() != 3 || x.dim(0) < steps() || x.dim(1) != batch()) {
    throw internal_error(
        fmt::format("recurrent layer: {} does not fit lengths of {} frames", x.shape().str(), frames_));
  }
  return {x.data<float>(), x.dim(-1), rows_.data()};
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
  if (is_packed(x)) return;
  const int64_t n = x.dim(-1);
  float* to = x.data<float>();
  for (int64_t r = 0; r < batch(); ++r) {
    for (int64_t t = lengths_[static_cast<size_t>(r)]; t < x.dim(0); ++t) {
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
  const RowView states = schedule.frames_of(y);
  const RowView gradients = schedule.frames_of(gradient);
  std::vector<int64_t> previous;
  for (int64_t step = 1; step < schedule.steps(); ++step) {
    const int64_t* begin = states.list + schedule.first(step - 1);
    previous.insert(previous.end(), begin, begin + schedule.active(step));
  }
  const int64_t m = out.dim(0);
  const int64_t n = out.dim(1);
  const auto count = static_cast<int64_t>(previous.size());
  const int64_t after_first = count > 0 ? schedule.first(1) : 0;
  transposed_product(count, {states.data, m, previous.data()}, m, gradients.from(after_first), n, false,
                     out.data<float>(), nullptr, scratch);
  if (!h0.defined() || schedule.steps() == 0) return;
  transposed_product(schedule.active(0), {h0.data<float>(), m, schedule.sequences()}, m, gradients, n, true,
                     out.data<float>(), nullptr, scratch);
}

}  // namespace wende::cpu
