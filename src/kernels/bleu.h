#pragma once

#include <cmath>
#include <cstdint>

#include "device/host_device.h"
#include "device/on_device.h"
#include "tensor/tensor.h"

namespace wende {

/// n-grams of one sequence that its reference has too, each at most as often as there.
struct BleuCounts {
  static constexpr int kOrders = 4;
  int64_t matches[kOrders] = {};
  int64_t length = 0;
  int64_t reference_length = 0;

  /// Geometric mean smoothed by halving for orders without a match, brevity penalty (Papineni 2002 as in
  /// Tensor2Tensor).
  WENDE_HD double score() const {
    if (length == 0) return 0.0;
    double log_sum = 0;
    double smooth = 1;
    for (int i = 0; i < kOrders && i < length; ++i) {
      if (matches[i] == 0) smooth *= 2;
      const double part = matches[i] > 0 ? static_cast<double>(matches[i]) : 1.0 / smooth;
      log_sum += std::log(part / static_cast<double>(length - i));
    }
    const double ratio = static_cast<double>(length) / static_cast<double>(reference_length);
    const double brevity = ratio < 1.0 ? std::exp(1.0 - 1.0 / ratio) : 1.0;
    return std::exp(log_sum / kOrders) * brevity;
  }
};

}  // namespace wende

namespace wende::cpu {

/// The sequences of a batch.
struct BleuBatch {
  Tensor hypotheses, lengths;            ///< int32 [B,T]; int32 [B]
  Tensor references, reference_lengths;  ///< int32 [B,U]; int32 [B]
};

/// out float [B]: BLEU of each sequence against its reference, of n-grams up to 4.
void bleu_scores(const BleuBatch& batch, const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(bleu_scores)
