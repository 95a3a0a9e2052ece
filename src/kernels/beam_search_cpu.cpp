#include <algorithm>
#include <limits>
#include <numeric>
#include <vector>

#include "kernels/beam_search.h"

namespace wende::cpu {
namespace {

struct Choices {
  const Tensor& scores;
  const Tensor& labels;
  const Tensor& rows;
  const Tensor& valid;

  /// The best `count` of the rows [from, to) go to places from `place` on.
  void choose(int64_t from, int64_t to, int64_t place, int64_t count) const {
    const int64_t size = scores.dim(1);
    const float* values = scores.data<float>() + from * size;
    std::vector<int64_t> order(static_cast<size_t>((to - from) * size));
    std::iota(order.begin(), order.end(), 0);
    const auto score = [values](int64_t i) {
      return values[i] == values[i] ? values[i] : -std::numeric_limits<float>::infinity();
    };
    const int64_t found = std::min<int64_t>(count, static_cast<int64_t>(order.size()));
    std::partial_sort(order.begin(), order.begin() + found, order.end(),
                      [&](int64_t a, int64_t b) { return score(a) != score(b) ? score(a) > score(b) : a < b; });
    for (int64_t k = 0; k < count; ++k) {
      const int64_t candidate = k < found ? order[static_cast<size_t>(k)] : 0;
      labels.data<int32_t>()[place + k] = static_cast<int32_t>(candidate % size);
      rows.data<int32_t>()[place + k] = static_cast<int32_t>(from + candidate / size);
      valid.data<bool>()[place + k] = k < found;
    }
  }
};

}  // namespace

void beam_step(const Tensor& scores, const Tensor& step, int64_t from, int64_t to, bool keep_beams,
               const Tensor& labels, const Tensor& rows, const Tensor& valid) {
  const Choices choices{scores, labels, rows, valid};
  const bool first = step.data<int32_t>()[0] == 0;
  const int64_t each = to / from;
  for (int64_t begin = 0, place = 0; begin < scores.dim(0); begin += from, place += to) {
    if (keep_beams && !first) {
      for (int64_t k = 0; k < from; ++k) choices.choose(begin + k, begin + k + 1, place + k * each, each);
    } else {
      choices.choose(begin, first ? begin + 1 : begin + from, place, to);
    }
  }
}

void beam_trace(const Tensor& rows, const Tensor& steps, const Tensor& chosen, const Tensor& before) {
  const int64_t batch = rows.dim(1);
  const int32_t* source = rows.data<int32_t>();
  const int64_t count = std::min<int64_t>(rows.dim(0), steps.data<int32_t>()[0]);
  std::vector<int32_t> now(static_cast<size_t>(batch));
  std::iota(now.begin(), now.end(), 0);
  for (int64_t t = rows.dim(0) - 1; t >= 0; --t) {
    for (int64_t b = 0; b < batch; ++b) {
      int32_t& row = now[static_cast<size_t>(b)];
      chosen.data<int32_t>()[t * batch + b] = static_cast<int32_t>(t * batch) + row;
      row = t < count ? source[t * batch + row] : row;
      before.data<int32_t>()[t * batch + b] = static_cast<int32_t>(t * batch) + row;
    }
  }
}

}  // namespace wende::cpu
