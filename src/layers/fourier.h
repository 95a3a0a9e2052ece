#pragma once

#include <vector>

#include "graph/graph.h"

namespace wende {

/// Frames of a signal and their discrete Fourier transforms. A transform is a convolution with the window times cosines
/// and sines, its inverse with overlap and add a transposed one: gradients and devices come with those.
struct ShortTimeFourier {
  static constexpr int64_t kMost = 16384;  ///< of all sizes: transforms are matrices

  int64_t frame_shift = 1;
  int64_t frame_size = 1;
  int64_t fft_size = 1;        ///< frames are cut or filled with zeros to this size
  std::vector<double> window;  ///< frame_size numbers

  int64_t bins() const { return fft_size / 2 + 1; }
  /// signal [B,T,1] -> complex64 [B,frames,bins], as many frames as the dim says.
  Expr forward(Expr signal, const Dim& frames, const Dim& bins) const;
  /// spectra complex64 [B,T,bins] -> [B,samples,1].
  Expr inverse(Expr spectra, const Dim& samples) const;
};

/// 0.5 - 0.5 cos(2 pi n / N): as in TensorFlow, N is the size if that is even, else size - 1.
std::vector<double> hann_window(int64_t size);
/// 0.42 - 0.5 cos(2 pi n / (size - 1)) + 0.08 cos(4 pi n / (size - 1))
std::vector<double> blackman_window(int64_t size);
/// What frames must be multiplied with so that those of a Hann window add up to the signal again; throws kConfig if
/// some samples are in no frame (their factor would be infinite).
std::vector<double> inverse_window(int64_t size, int64_t shift);

}  // namespace wende
