#include <numeric>
#include <unordered_set>
#include <utility>

#include "base/error.h"
#include "kernels/candidate_sampler.h"
#include "tensor/placement.h"

namespace wende::cpu {

CandidateSampler::CandidateSampler(Kind kind, int64_t classes, std::vector<double> weights)
    : kind_(kind), classes_(classes) {
  if (kind_ == Kind::kLearnedUnigram) weights.assign(static_cast<size_t>(classes), 1.0);
  std::partial_sum(weights.begin(), weights.end(), weights.begin());
  if (!weights.empty()) cumulative_ = Tensor::of<double>(weights, Shape{classes});
}

CandidateDistribution CandidateSampler::on(Device device) const {
  if (cumulative_.defined()) cumulative_ = wende::on(device, cumulative_);
  return {kind_, classes_, device_data_or_null<double>(cumulative_)};
}

namespace {

void learn(const CandidateDistribution& distribution, const Tensor& labels) {
  std::vector<double> added(static_cast<size_t>(distribution.classes), 0.0);
  for (int64_t i = 0; i < labels.elements(); ++i) added[static_cast<size_t>(labels.data<int32_t>()[i])] += 1.0;
  double sum = 0.0;
  for (size_t c = 0; c < added.size(); ++c) {
    sum += added[c];
    distribution.cumulative[c] += sum;
  }
}

}  // namespace

void draw_candidates(const CandidateSampler& sampler, const Philox& random, const int64_t*, const Tensor& labels,
                     const DrawnCandidates& out) {
  const auto lock = sampler.locked();
  const CandidateDistribution distribution = sampler.on(Device::cpu());
  const int64_t wanted = out.sampled.elements();
  // Classes of probability 0 can never be drawn, and rare ones take long: as TensorFlow, we only refuse the impossible.
  if (wanted > distribution.classes) throw internal_error("more candidates than classes");
  auto* sampled = out.sampled.data<int32_t>();
  std::unordered_set<int64_t> seen;
  int64_t tries = 0;
  while (static_cast<int64_t>(seen.size()) < wanted) {
    const int64_t c = distribution.draw(random.uniform(static_cast<uint64_t>(tries++)));
    if (seen.insert(c).second) sampled[seen.size() - 1] = static_cast<int32_t>(c);
  }
  for (int64_t i = 0; i < wanted; ++i) {
    out.expected_sampled.data<float>()[i] = distribution.expected(sampled[i], tries, wanted);
  }
  for (int64_t i = 0; i < labels.elements(); ++i) {
    out.expected_true.data<float>()[i] = distribution.expected(labels.data<int32_t>()[i], tries, wanted);
  }
  if (distribution.kind == CandidateDistribution::Kind::kLearnedUnigram) learn(distribution, labels);
}

}  // namespace wende::cpu
