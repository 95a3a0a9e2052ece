#include <algorithm>
#include <limits>
#include <vector>

#include "kernels/pool.h"

namespace wende::cpu {
namespace {

/// Calls window(y_row, b) for each position of the output, and window.at(x_row) for each element of its window in
/// order; x_row -1 is one of the zeros around x that count. Rows are those of [B,D,H,W] with missing axes of size 1.
class Walk {
 public:
  Walk(const Tensor& x, const Tensor& y, const PoolGeometry& geometry) : geometry_(geometry) {
    const int rank = geometry.walk.rank;
    batch_ = x.dim(0);
    for (int i = 0; i < 3; ++i) {
      const int axis = i - (3 - rank);
      const auto to = static_cast<size_t>(i);
      const auto from = static_cast<size_t>(std::max(axis, 0));
      in_[to] = axis < 0 ? 1 : x.dim(axis + 1);
      out_[to] = axis < 0 ? 1 : y.dim(axis + 1);
      size_[to] = axis < 0 ? 1 : geometry.size[from];
      stride_[to] = axis < 0 ? 1 : geometry.walk.strides[from];
      dilation_[to] = axis < 0 ? 1 : geometry.walk.dilations[from];
      left_[to] = axis < 0 ? 0 : geometry.walk.left[from];
    }
  }

  template <class Begin, class At, class End>
  void each(Begin&& begin, At&& at, End&& end) const {
    int64_t row = 0;
    for (int64_t b = 0; b < batch_; ++b) {
      for (int64_t d = 0; d < out_[0]; ++d) {
        for (int64_t h = 0; h < out_[1]; ++h) {
          for (int64_t w = 0; w < out_[2]; ++w, ++row) {
            begin(row);
            window(b, {d, h, w}, at);
            end(row);
          }
        }
      }
    }
  }

 private:
  using Three = std::array<int64_t, 3>;

  template <class At>
  void window(int64_t b, const Three& place, At&& at) const {
    for (int64_t kd = 0; kd < size_[0]; ++kd) {
      const int64_t d = place[0] * stride_[0] + kd * dilation_[0] - left_[0];
      for (int64_t kh = 0; kh < size_[1]; ++kh) {
        const int64_t h = place[1] * stride_[1] + kh * dilation_[1] - left_[1];
        for (int64_t kw = 0; kw < size_[2]; ++kw) {
          const int64_t w = place[2] * stride_[2] + kw * dilation_[2] - left_[2];
          const bool inside = d >= 0 && d < in_[0] && h >= 0 && h < in_[1] && w >= 0 && w < in_[2];
          if (inside) {
            at(((b * in_[0] + d) * in_[1] + h) * in_[2] + w);
          } else if (geometry_.counted) {
            at(-1);
          }
        }
      }
    }
  }

  const PoolGeometry& geometry_;
  int64_t batch_;
  Three in_, out_, size_, stride_, dilation_, left_;
};

}  // namespace

void max_pool(const Tensor& x, const PoolGeometry& geometry, const Tensor& y) {
  const int64_t channels = x.dim(-1);
  const float* source = x.data<float>();
  float* row = y.data<float>();
  Walk(x, y, geometry)
      .each(
          [&](int64_t at) {
            row = y.data<float>() + at * channels;
            std::fill_n(row, channels, -std::numeric_limits<float>::infinity());
          },
          [&](int64_t from) {
            const float* in = source + from * channels;
            if (from < 0) {
              for (int64_t c = 0; c < channels; ++c) row[c] = row[c] < 0.0F ? 0.0F : row[c];
            } else {
              for (int64_t c = 0; c < channels; ++c) row[c] = row[c] < in[c] ? in[c] : row[c];
            }
          },
          [](int64_t) {});
}

void mean_pool(const Tensor& x, const PoolGeometry& geometry, const Tensor& y) {
  const int64_t channels = x.dim(-1);
  const float* source = x.data<float>();
  float* row = y.data<float>();
  int64_t count = 0;
  Walk(x, y, geometry)
      .each(
          [&](int64_t at) {
            row = y.data<float>() + at * channels;
            std::fill_n(row, channels, 0.0F);
            count = 0;
          },
          [&](int64_t from) {
            ++count;
            if (from < 0) return;
            const float* in = source + from * channels;
            for (int64_t c = 0; c < channels; ++c) row[c] += in[c];
          },
          [&](int64_t) {
            const float factor = 1.0F / static_cast<float>(std::max<int64_t>(count, 1));
            for (int64_t c = 0; c < channels; ++c) row[c] *= factor;
          });
}

void max_pool_grad(const Tensor& x, const Tensor& dy, const PoolGeometry& geometry, const Tensor& dx) {
  const int64_t channels = x.dim(-1);
  const float* source = x.data<float>();
  float* target = dx.data<float>();
  std::fill_n(target, dx.elements(), 0.0F);
  const auto size = static_cast<size_t>(channels);
  std::vector<float> best(size);
  std::vector<int32_t> where(size);
  Walk(x, dy, geometry)
      .each(
          [&](int64_t) {
            std::fill(best.begin(), best.end(), -std::numeric_limits<float>::infinity());
            std::fill(where.begin(), where.end(), -1);
          },
          [&](int64_t from) {
            const auto place = static_cast<int32_t>(from);
            const float* in = source + from * channels;
            for (size_t c = 0; c < size; ++c) {
              const float value = place < 0 ? 0.0F : in[c];
              where[c] = best[c] < value ? place : where[c];
              best[c] = best[c] < value ? value : best[c];
            }
          },
          [&](int64_t at) {
            const float* gradient = dy.data<float>() + at * channels;
            for (int64_t c = 0; c < channels; ++c) {
              const int64_t place = where[static_cast<size_t>(c)];
              if (place >= 0) target[place * channels + c] += gradient[c];
            }
          });
}

void mean_pool_grad(const Tensor& dy, const PoolGeometry& geometry, const Tensor& dx) {
  const int64_t channels = dx.dim(-1);
  float* target = dx.data<float>();
  std::fill_n(target, dx.elements(), 0.0F);
  std::vector<int64_t> places;
  int64_t count = 0;
  Walk(dx, dy, geometry)
      .each(
          [&](int64_t) {
            places.clear();
            count = 0;
          },
          [&](int64_t from) {
            ++count;
            if (from >= 0) places.push_back(from);
          },
          [&](int64_t at) {
            const float* gradient = dy.data<float>() + at * channels;
            const float factor = 1.0F / static_cast<float>(std::max<int64_t>(count, 1));
            for (const int64_t place : places) {
              float* out = target + place * channels;
              for (int64_t c = 0; c < channels; ++c) out[c] += gradient[c] * factor;
            }
          });
}

}  // namespace wende::cpu
