#include "layers/fourier.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.h"
#include "ops/complex.h"
#include "ops/conv.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// cos and sin of 2 pi i / size; exactly 0 where they are, so that phases of real bins are exact.
std::vector<std::pair<double, double>> unit_circle(int64_t size) {
  const auto exact = [](double x) { return std::abs(x) < 1e-15 ? 0.0 : x; };
  std::vector<std::pair<double, double>> points;
  for (int64_t i = 0; i < size; ++i) {
    const double at = 2 * M_PI * static_cast<double>(i) / static_cast<double>(size);
    points.emplace_back(exact(std::cos(at)), exact(std::sin(at)));
  }
  return points;
}

/// [frame_size,1,2*bins]: window * scale(k) * (cos, -sin) of bin k.
template <class Scale>
Expr filters(Graph& graph, const ShortTimeFourier& transform, const Scale& scale) {
  const int64_t bins = transform.bins();
  const Tensor values = Tensor::zeros(DType::kFloat32, {transform.frame_size, 1, 2 * bins});
  const auto circle = unit_circle(transform.fft_size);
  for (int64_t n = 0; n < std::min(transform.frame_size, transform.fft_size); ++n) {
    float* row = values.data<float>() + n * 2 * bins;
    for (int64_t k = 0; k < bins; ++k) {
      const auto& [cosine, sine] = circle[static_cast<size_t>(k * n % transform.fft_size)];
      const double factor = transform.window[static_cast<size_t>(n)] * scale(k);
      row[k] = static_cast<float>(factor * cosine);
      row[bins + k] = static_cast<float>(-factor * sine);
    }
  }
  return ops::constant_array(graph, values, {Dim::fixed(transform.frame_size), Dim::fixed(1), Dim::fixed(2 * bins)});
}

ops::ConvOptions steps_of(int64_t shift) { return {{static_cast<int>(shift)}, {1}, {0}, false, 1}; }

}  // namespace

Expr ShortTimeFourier::forward(Expr signal, const Dim& frames, const Dim& bins_dim) const {
  const Expr all =
      ops::conv(signal, filters(*signal.graph, *this, [](int64_t) { return 1.0; }), steps_of(frame_shift), {frames});
  const auto part = [&](int64_t i) { return ops::slice(all, 2, i * bins(), (i + 1) * bins(), 1, bins_dim); };
  return ops::complex(part(0), part(1));
}

Expr ShortTimeFourier::inverse(Expr spectra, const Dim& samples) const {
  // Half of the bins stand for two each.
  const auto scale = [this](int64_t k) {
    return (k == 0 || 2 * k == fft_size ? 1.0 : 2.0) / static_cast<double>(fft_size);
  };
  const Expr parts = ops::concat({ops::real(spectra), ops::imaginary(spectra)}, 2, Dim::fixed(2 * bins()));
  return ops::transposed_conv(parts, filters(*spectra.graph, *this, scale), steps_of(frame_shift), {samples});
}

std::vector<double> hann_window(int64_t size) {
  const auto circle = unit_circle(std::max<int64_t>(size % 2 == 0 ? size : size - 1, 1));
  std::vector<double> window;
  for (int64_t n = 0; n < size; ++n) {
    window.push_back(size == 1 ? 1.0 : 0.5 - 0.5 * circle[static_cast<size_t>(n) % circle.size()].first);
  }
  return window;
}

std::vector<double> blackman_window(int64_t size) {
  std::vector<double> window;
  for (int64_t n = 0; n < size; ++n) {
    const double at = 2 * M_PI * static_cast<double>(n) / static_cast<double>(size - 1);
    window.push_back(size == 1 ? 1.0 : 0.42 - 0.5 * std::cos(at) + 0.08 * std::cos(2 * at));
  }
  return window;
}

std::vector<double> inverse_window(int64_t size, int64_t shift) {
  std::vector<double> window = hann_window(size);
  for (int64_t phase = 0; phase < std::min(shift, size); ++phase) {
    double energy = 0;
    for (int64_t n = phase; n < size; n += shift) {
      energy += window[static_cast<size_t>(n)] * window[static_cast<size_t>(n)];
    }
    if (shift > size || energy == 0) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("frames of {} samples at every {} do not cover all samples: the Hann "
                              "window is 0 at its start",
                              size, shift))
          .hint("use a smaller frame_shift");
    }
    for (int64_t n = phase; n < size; n += shift) {
      window[static_cast<size_t>(n)] /= energy;
    }
  }
  return window;
}

}  // namespace wende
