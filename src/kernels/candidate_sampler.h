#pragma once

#include <cmath>
#include <cstdint>
#include <mutex>
#include <vector>

#include "device/host_device.h"
#include "device/on_device.h"
#include "device/philox.h"
#include "tensor/tensor.h"

namespace wende {

/// Distributions over [0, classes) as TensorFlow's candidate samplers have them.
struct CandidateDistribution {
  enum class Kind { kUniform, kLogUniform, kFixedUnigram, kLearnedUnigram };
  Kind kind = Kind::kUniform;
  int64_t classes = 0;
  double* cumulative = nullptr;  ///< of unigrams: sums of weights up to and with each class

  /// u: in [0, 1).
  WENDE_HD int64_t draw(float u) const {
    if (kind == Kind::kUniform) {
      const auto c = static_cast<int64_t>(static_cast<double>(u) * static_cast<double>(classes));
      return c < classes ? c : classes - 1;
    }
    if (kind == Kind::kLogUniform) {
      const double value = std::exp(static_cast<double>(u) * std::log1p(static_cast<double>(classes)));
      return (static_cast<int64_t>(value) - 1) % classes;
    }
    const double at = static_cast<double>(u) * cumulative[classes - 1];
    int64_t begin = 0;
    int64_t end = classes - 1;
    while (begin < end) {  // the first class whose sum is above
      const int64_t middle = (begin + end) / 2;
      if (cumulative[middle] > at) {
        end = middle;
      } else {
        begin = middle + 1;
      }
    }
    return begin;
  }

  WENDE_HD double probability(int64_t c) const {
    if (kind == Kind::kUniform) return 1.0 / static_cast<double>(classes);
    if (kind == Kind::kLogUniform) {
      const auto rank = static_cast<double>(c);
      return std::log((rank + 2.0) / (rank + 1.0)) / std::log1p(static_cast<double>(classes));
    }
    return (cumulative[c] - (c > 0 ? cumulative[c - 1] : 0.0)) / cumulative[classes - 1];
  }

  /// 1 - (1 - p)^tries: probability that a class is among the `wanted` different ones that so many tries gave.
  /// TensorFlow takes the number of times instead if no class came twice.
  WENDE_HD float expected(int64_t c, int64_t tries, int64_t wanted) const {
    if (tries == wanted) return static_cast<float>(probability(c) * static_cast<double>(wanted));
    return static_cast<float>(-std::expm1(static_cast<double>(tries) * std::log1p(-probability(c))));
  }
};

namespace cpu {

/// A distribution with its weights, which a learned one changes from draw to draw.
class CandidateSampler {
 public:
  using Kind = CandidateDistribution::Kind;
  /// weights: of the classes, for kFixedUnigram.
  CandidateSampler(Kind kind, int64_t classes, std::vector<double> weights = {});

  /// With the weights in memory of the device: the same from call to call.
  CandidateDistribution on(Device device) const;
  /// Of those who draw on the host and learn.
  std::unique_lock<std::mutex> locked() const { return std::unique_lock(mutex_); }

 private:
  Kind kind_;
  int64_t classes_;
  mutable std::mutex mutex_;
  mutable Tensor cumulative_;  ///< float64 [classes], on the device that drew last; undefined without weights
};

/// Results of a draw.
struct DrawnCandidates {
  Tensor sampled;           ///< int32 [S], all different
  Tensor expected_true;     ///< float [N]: expected number of occurrences in such a sample of the labels' classes
  Tensor expected_sampled;  ///< float [S]: of those drawn
};

/// labels: int32 [N]. step: nullptr, or in memory of a GPU: random is of step 0 then. A learned distribution learns the
/// labels.
void draw_candidates(const CandidateSampler& sampler, const Philox& random, const int64_t* step, const Tensor& labels,
                     const DrawnCandidates& out);

}  // namespace cpu
}  // namespace wende

WENDE_CUDA_KERNEL(draw_candidates)
