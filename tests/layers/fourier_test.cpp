#include "layers/fourier.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>

#include "base/error.h"
#include "ops/complex.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

using test::evaluate;
using test::fixed_dims;
using test::random_tensor;

/// The definition, in doubles.
std::complex<double> bin_of(const std::vector<float>& signal, const ShortTimeFourier& t, int64_t frame, int64_t bin) {
  std::complex<double> sum = 0;
  for (int64_t n = 0; n < std::min(t.frame_size, t.fft_size); ++n) {
    const double x = signal[static_cast<size_t>(frame * t.frame_shift + n)];
    const double turn = -2 * M_PI * static_cast<double>(bin * n) / static_cast<double>(t.fft_size);
    sum += x * t.window[static_cast<size_t>(n)] * std::polar(1.0, turn);
  }
  return sum;
}

TEST(Fourier, IsTheDefinition) {
  const Tensor signal = random_tensor({1, 50, 1}, 3);
  const std::vector<float> samples = signal.to_vector<float>();
  for (const auto& [frame, fft] : {std::pair(8, 8), {8, 16}, {9, 9}, {12, 8}, {7, 10}}) {
    Graph graph;
    const ShortTimeFourier transform{5, frame, fft, hann_window(frame)};
    const int64_t frames = (50 - frame) / 5 + 1;
    const Expr z = transform.forward(ops::constant_array(graph, signal, fixed_dims(signal.shape())), Dim::fixed(frames),
                                     Dim::fixed(transform.bins()));
    const auto values = evaluate(std::vector<Expr>{ops::real(z), ops::imaginary(z)});
    for (int64_t t = 0; t < frames; ++t) {
      for (int64_t k = 0; k < transform.bins(); ++k) {
        const std::complex<double> expected = bin_of(samples, transform, t, k);
        const auto at = static_cast<size_t>(t * transform.bins() + k);
        EXPECT_NEAR(values[0].to_vector<float>()[at], expected.real(), 2e-6) << frame << " " << t << " " << k;
        EXPECT_NEAR(values[1].to_vector<float>()[at], expected.imag(), 2e-6) << frame << " " << t << " " << k;
      }
    }
  }
}

TEST(Fourier, InverseGivesTheSignalBack) {
  Graph graph;
  const Tensor signal = random_tensor({1, 40, 1}, 4);
  const ShortTimeFourier there{4, 16, 20, hann_window(16)};
  const ShortTimeFourier back{4, 16, 20, inverse_window(16, 4)};
  const Expr spectra = there.forward(ops::constant_array(graph, signal, fixed_dims(signal.shape())), Dim::fixed(7),
                                     Dim::fixed(there.bins()));
  const std::vector<float> again = evaluate(back.inverse(spectra, Dim::fixed(40))).to_vector<float>();
  for (size_t i = 12; i < 28; ++i) {  // where all frames overlap
    EXPECT_NEAR(again[i], signal.to_vector<float>()[i], 1e-5) << i;
  }
}

TEST(Fourier, Windows) {
  EXPECT_EQ(hann_window(1), std::vector<double>{1});
  EXPECT_EQ(hann_window(4), (std::vector<double>{0, 0.5, 1, 0.5}));
  EXPECT_EQ(hann_window(5), (std::vector<double>{0, 0.5, 1, 0.5, 0}));
  const std::vector<double> blackman = blackman_window(5);  // numpy.blackman(5)
  EXPECT_NEAR(blackman[0], 0, 1e-15);
  EXPECT_NEAR(blackman[1], 0.34, 1e-15);
  EXPECT_NEAR(blackman[2], 1, 1e-15);
  EXPECT_THROW(inverse_window(8, 8), Error);
  EXPECT_THROW(inverse_window(8, 9), Error);
}

TEST(Fourier, Gradients) {
  const ShortTimeFourier there{3, 6, 7, hann_window(6)};
  test::expect_gradients({{2, 15, 1}}, [&](Graph&, const std::vector<Expr>& x) {
    return ops::magnitude(there.forward(x[0], Dim::fixed(4), Dim::fixed(there.bins())));
  });
  const ShortTimeFourier back{3, 6, 7, inverse_window(6, 3)};
  test::expect_gradients({{2, 4, 4}, {2, 4, 4}}, [&](Graph&, const std::vector<Expr>& x) {
    return back.inverse(ops::complex(x[0], x[1]), Dim::fixed(15));
  });
}

}  // namespace
}  // namespace wende
