#include "ops/candidate_sampler.h"

#include <set>

#include "ops/finite_difference.h"

namespace wende {
namespace {

using Kind = CandidateDistribution::Kind;

struct Drawn {
  Tensor classes, expected_true, expected_classes;
};

std::shared_ptr<const cpu::CandidateSampler> sampler_of(Kind kind) {
  std::vector<double> weights;
  for (int c = 0; kind == Kind::kFixedUnigram && c < 700; ++c) weights.push_back(c % 3 == 0 ? 0.0 : 1.0 + c % 7);
  return std::make_shared<const cpu::CandidateSampler>(kind, 700, weights);
}

/// Runs of one program on the tests' device draw what the host draws, and learn what it learns.
TEST(CandidateSampler, TheSameOnEachDevice) {
  const Tensor labels = Tensor::of<int32_t>({3, 699, 0, 3, 3, 127}, {6});
  for (const Kind kind : {Kind::kUniform, Kind::kLogUniform, Kind::kFixedUnigram, Kind::kLearnedUnigram}) {
    const auto on_host = sampler_of(kind);
    Graph graph;
    const ops::Candidates candidates =
        ops::sample_candidates(ops::input(graph, "labels", DType::kInt32, {Dim::fixed(6)}), sampler_of(kind), 300, 77);
    Executor executor(graph,
                      {{candidates.classes, {}}, {candidates.expected_true, {}}, {candidates.expected_classes, {}}},
                      test::test_device());
    executor.bind("labels", labels);
    RunOptions options;
    options.seed = 11;
    for (options.step = 5; options.step < 9; ++options.step) {
      const Drawn wanted{Tensor::zeros(DType::kInt32, {300}), Tensor::zeros(DType::kFloat32, {6}),
                         Tensor::zeros(DType::kFloat32, {300})};
      cpu::draw_candidates(*on_host, Philox::keyed(11, options.step, 77), nullptr, labels,
                           {wanted.classes, wanted.expected_true, wanted.expected_classes});
      const auto drawn = executor.run({}, options);
      const auto classes = drawn[0].to_vector<int32_t>();
      EXPECT_EQ(classes, wanted.classes.to_vector<int32_t>());
      EXPECT_EQ(std::set<int32_t>(classes.begin(), classes.end()).size(), 300u);
      const auto expect_near = [](const Tensor& given, const Tensor& right) {
        for (int64_t i = 0; i < right.elements(); ++i) {
          ASSERT_NEAR(given.to_vector<float>()[static_cast<size_t>(i)], right.data<float>()[i], 1e-6) << i;
        }
      };
      expect_near(drawn[1], wanted.expected_true);
      expect_near(drawn[2], wanted.expected_classes);
    }
  }
}

/// A million draws of one class: the frequencies are the probabilities.
TEST(CandidateSampler, DrawsByItsProbabilities) {
  for (const Kind kind : {Kind::kUniform, Kind::kLogUniform, Kind::kFixedUnigram}) {
    const auto sampler = sampler_of(kind);
    const CandidateDistribution distribution = sampler->on(Device::cpu());
    std::vector<int> counts(700);
    constexpr int kDraws = 1000000;
    for (int i = 0; i < kDraws; ++i) {
      const auto u = static_cast<float>((i + 0.5) / kDraws);
      ++counts.at(static_cast<size_t>(distribution.draw(u)));
    }
    for (int c = 0; c < 700; ++c) {
      EXPECT_NEAR(counts[static_cast<size_t>(c)] / double{kDraws}, distribution.probability(c), 4e-6) << c;
    }
  }
}

}  // namespace
}  // namespace wende
