#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "base/error.h"
#include "kernels/candidate_sampler.h"

namespace wende::cpu {

CandidateSampler::CandidateSampler(Kind kind, int64_t classes, std::vector<double> weights)
    : kind_(kind), classes_(classes), cumulative_(std::move(weights)) {
  if (kind_ == Kind::kLearnedUnigram) cumulative_.assign(static_cast<size_t>(classes), 1.0);
  std::partial_sum(cumulative_.begin(), cumulative_.end(), cumulative_.begin());
}

int64_t CandidateSampler::draw(float u) const {
  switch (kind_) {
    case Kind::kUniform:
      return std::min<int64_t>(static_cast<int64_t>(static_cast<double>(u) * static_cast<double>(classes_)),
                               classes_ - 1);
    case Kind::kLogUniform: {
      const double value = std::exp(static_cast<double>(u) * std::log1p(static_cast<double>(classes_)));
      return (static_cast<int64_t>(value) - 1) % classes_;
    }
    default: {
      const double at = static_cast<double>(u) * cumulative_.back();
      const auto found = std::upper_bound(cumulative_.begin(), cumulative_.end(), at);
      return std::min<int64_t>(found - cumulative_.begin(), classes_ - 1);
    }
  }
}

double CandidateSampler::probability(int64_t c) const {
  switch (kind_) {
    case Kind::kUniform:
      return 1.0 / static_cast<double>(classes_);
    case Kind::kLogUniform: {
      const auto rank = static_cast<double>(c);
      return std::log((rank + 2.0) / (rank + 1.0)) / std::log1p(static_cast<double>(classes_));
    }
    default: {
      const auto i = static_cast<size_t>(c);
      return (cumulative_[i] - (c > 0 ? cumulative_[i - 1] : 0.0)) / cumulative_.back();
    }
  }
}

void CandidateSampler::learn(const Tensor& labels) const {
  std::vector<double> added(cumulative_.size(), 0.0);
  for (int64_t i = 0; i < labels.elements(); ++i) added[static_cast<size_t>(labels.data<int32_t>()[i])] += 1.0;
  double sum = 0.0;
  for (size_t c = 0; c < added.size(); ++c) {
    sum += added[c];
    cumulative_[c] += sum;
  }
}

void CandidateSampler::sample(const Philox& random, const Tensor& labels, const Tensor& sampled,
                              const Tensor& expected_true, const Tensor& expected_sampled) const {
  const std::lock_guard lock(mutex_);
  const int64_t wanted = sampled.elements();
  // Classes of probability 0 can never be drawn, and rare ones take long: as TensorFlow, we only refuse the impossible.
  if (wanted > classes_) throw internal_error("more candidates than classes");
  std::unordered_set<int64_t> seen;
  int64_t tries = 0;
  while (static_cast<int64_t>(seen.size()) < wanted) {
    const int64_t c = draw(random.uniform(static_cast<uint64_t>(tries++)));
    if (seen.insert(c).second) sampled.data<int32_t>()[seen.size() - 1] = static_cast<int32_t>(c);
  }
  // 1 - (1 - p)^tries: probability that a class is among the sample. TensorFlow takes the number of times instead if no
  // class came twice.
  const auto expected = [&](int64_t c) {
    if (tries == wanted) return static_cast<float>(probability(c) * static_cast<double>(wanted));
    return static_cast<float>(-std::expm1(static_cast<double>(tries) * std::log1p(-probability(c))));
  };
  for (int64_t i = 0; i < wanted; ++i) expected_sampled.data<float>()[i] = expected(sampled.data<int32_t>()[i]);
  for (int64_t i = 0; i < labels.elements(); ++i) expected_true.data<float>()[i] = expected(labels.data<int32_t>()[i]);
  if (kind_ == Kind::kLearnedUnigram) learn(labels);
}

}  // namespace wende::cpu
