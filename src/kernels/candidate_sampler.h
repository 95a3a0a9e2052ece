#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "device/philox.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// Draws classes for sampled losses. Distributions over [0, classes) as TensorFlow's candidate samplers have them.
class CandidateSampler {
 public:
  enum class Kind { kUniform, kLogUniform, kFixedUnigram, kLearnedUnigram };
  /// weights: of the classes, for kFixedUnigram.
  CandidateSampler(Kind kind, int64_t classes, std::vector<double> weights = {});

  /// Fills `sampled` int32 [S] with different classes; expected_true float [N] and expected_sampled float [S] are the
  /// expected numbers of occurrences in such a sample of the classes in `labels` int32 [N] and of those drawn.
  void sample(const Philox& random, const Tensor& labels, const Tensor& sampled, const Tensor& expected_true,
              const Tensor& expected_sampled) const;

 private:
  int64_t draw(float u) const;
  double probability(int64_t c) const;
  void learn(const Tensor& labels) const;

  Kind kind_;
  int64_t classes_;
  mutable std::mutex mutex_;                ///< of the counts, which kLearnedUnigram changes
  mutable std::vector<double> cumulative_;  ///< sums of weights up to and with class c
};

}  // namespace wende::cpu
