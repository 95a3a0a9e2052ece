#include "ops/ctc.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <random>

#include "base/error.h"
#include "kernels/ctc_decode.h"
#include "ops/finite_difference.h"

namespace wende {
namespace {

using Labels = std::vector<int32_t>;

Tensor random_scores(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0.0f, 1.5f);
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  for (float& value : values) value = normal(random);
  return Tensor::of<float>(values, shape);
}

/// Calls visit(path, probability) for each of the V^T paths over softmaxes of scores [T,V].
template <class Visit>
void each_path(const float* scores, int time, int classes, Visit visit) {
  std::vector<double> p(static_cast<size_t>(time * classes));
  for (int t = 0; t < time; ++t) {
    double sum = 0;
    for (int v = 0; v < classes; ++v) sum += std::exp(static_cast<double>(scores[t * classes + v]));
    for (int v = 0; v < classes; ++v)
      p[static_cast<size_t>(t * classes + v)] = std::exp(static_cast<double>(scores[t * classes + v])) / sum;
  }
  std::vector<int> path(static_cast<size_t>(time), 0);
  for (;;) {
    double product = 1;
    for (int t = 0; t < time; ++t) product *= p[static_cast<size_t>(t * classes + path[static_cast<size_t>(t)])];
    visit(path, product);
    int t = 0;
    while (t < time && ++path[static_cast<size_t>(t)] == classes) path[static_cast<size_t>(t++)] = 0;
    if (t == time) return;
  }
}

/// The labels of a path: repeats merged (with label_loop), then blanks removed.
Labels collapse(const std::vector<int>& path, int blank, bool label_loop) {
  Labels labels;
  for (size_t t = 0; t < path.size(); ++t) {
    const bool repeated = label_loop && t > 0 && path[t] == path[t - 1];
    if (path[t] != blank && !repeated) labels.push_back(path[t]);
  }
  return labels;
}

struct Case {
  Tensor scores, lengths, labels, label_lengths;
};

Case small_case() {
  return {random_scores({3, 6, 4}, 5), Tensor::of<int32_t>({6, 4, 5}, {3}),
          Tensor::of<int32_t>({0, 1, 1, 2, 0, 0, 1, 0, 2}, {3, 3}), Tensor::of<int32_t>({3, 1, 3}, {3})};
}

Tensor loss_of(const Case& data, const cpu::CtcOptions& options, const Tensor& grad = {}) {
  const Tensor loss = Tensor::zeros(DType::kFloat32, {data.lengths.dim(0)});
  cpu::ctc_loss(data.scores, data.lengths, data.labels, data.label_lengths, options, loss, grad);
  return loss;
}

cpu::CtcOptions with_blank(int64_t blank) {
  cpu::CtcOptions options;
  options.blank = blank;
  return options;
}

TEST(Ctc, SumOverAllPaths) {
  const Case data = small_case();
  for (const bool label_loop : {true, false}) {
    for (const bool viterbi : {false, true}) {
      cpu::CtcOptions options = with_blank(3);
      options.label_loop = label_loop;
      options.viterbi = viterbi;
      const auto loss = loss_of(data, options).to_vector<float>();
      for (int b = 0; b < 3; ++b) {
        const int32_t* row = data.labels.data<int32_t>() + b * 3;
        const Labels wanted(row, row + data.label_lengths.data<int32_t>()[b]);
        double sum = 0;
        double best = 0;
        each_path(data.scores.data<float>() + b * 24, data.lengths.data<int32_t>()[b], 4,
                  [&](const std::vector<int>& path, double p) {
                    if (collapse(path, 3, label_loop) != wanted) return;
                    sum += p;
                    best = std::max(best, p);
                  });
        EXPECT_NEAR(loss[static_cast<size_t>(b)], -std::log(viterbi ? best : sum), 1e-5) << b << label_loop << viterbi;
      }
    }
  }
}

TEST(Ctc, Gradients) {
  const Case data = small_case();
  for (const bool normalize : {true, false}) {
    test::FiniteDifferenceOptions options;
    options.other_leaves = {{"lengths", data.lengths}, {"labels", data.labels}, {"label_lengths", data.label_lengths}};
    test::expect_gradients(
        {{3, 6, 4}},
        [&](Graph& graph, const std::vector<Expr>& x) {
          cpu::CtcOptions ctc = with_blank(3);
          ctc.normalize = ctc.grad_wrt_softmax = normalize;
          const Dim batch = x[0].dim(0);
          return ops::ctc_loss(x[0], ops::input(graph, "lengths", DType::kInt32, {batch}),
                               ops::input(graph, "labels", DType::kInt32, {batch, Dim::fixed(3)}),
                               ops::input(graph, "label_lengths", DType::kInt32, {batch}), ctc);
        },
        options);
  }
}

/// Of sums and of best paths, with every kind of sequence: what the host's kernel says.
TEST(Ctc, OpGivesWhatTheHostDoes) {
  const Case data{random_scores({4, 9, 5}, 6), Tensor::of<int32_t>({9, 2, 0, 7}, {4}),
                  Tensor::of<int32_t>({0, 0, 2, 1, 1, 1, 3, 2, 1, 2, 2, 0}, {4, 3}),
                  Tensor::of<int32_t>({3, 3, 1, 0}, {4})};
  for (int kind = 0; kind < 16; ++kind) {
    cpu::CtcOptions options = with_blank(4);
    options.viterbi = kind % 2 == 0;
    options.label_loop = kind / 2 % 2 == 0;
    options.collapse_labels = kind / 4 % 2 == 0;
    options.normalize = kind / 8 % 2 == 0;
    options.no_path = cpu::CtcNoPath::kZeroLoss;
    const Tensor grad = Tensor::zeros(DType::kFloat32, {4, 9, 5});
    const auto wanted = loss_of(data, options, grad).to_vector<float>();
    Graph graph;
    const Dim batch = Dim::fixed(4);
    const Expr scores = ops::parameter(graph, "scores", DType::kFloat32, {batch, Dim::fixed(9), Dim::fixed(5)});
    const Expr loss = ops::ctc_loss(scores, ops::input(graph, "lengths", DType::kInt32, {batch}),
                                    ops::input(graph, "labels", DType::kInt32, {batch, Dim::fixed(3)}),
                                    ops::input(graph, "label_lengths", DType::kInt32, {batch}), options);
    const Expr towards_scores = gradients(ops::sum_all(loss), {scores})[0];
    const auto given = test::evaluate({loss, towards_scores}, {{"scores", data.scores},
                                                               {"lengths", data.lengths},
                                                               {"labels", data.labels},
                                                               {"label_lengths", data.label_lengths}});
    const auto expect_near = [kind](const std::vector<float>& a, const std::vector<float>& b) {
      ASSERT_EQ(a.size(), b.size());
      for (size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 2e-6 + 1e-6 * std::fabs(b[i])) << kind << " " << i;
    };
    expect_near(given[0].to_vector<float>(), wanted);
    expect_near(given[1].to_vector<float>(), grad.to_vector<float>());
  }
}

TEST(Ctc, TimeMajorGivesTheSame) {
  Case data = small_case();
  cpu::CtcOptions options = with_blank(3);
  const Tensor grad = Tensor::zeros(DType::kFloat32, {3, 6, 4});
  const auto expected = loss_of(data, options, grad).to_vector<float>();
  data.scores = data.scores.permuted({1, 0, 2}).clone();
  options.time_major = true;
  const Tensor grad_by_time = Tensor::zeros(DType::kFloat32, {6, 3, 4});
  EXPECT_EQ(loss_of(data, options, grad_by_time).to_vector<float>(), expected);
  EXPECT_EQ(grad_by_time.permuted({1, 0, 2}).to_vector<float>(), grad.to_vector<float>());
}

TEST(Ctc, LongSequencesKeepTheirPrecision) {
  // All classes equally likely: log p = log(number of paths) - T log V, and for one label that number is T (T+1) / 2.
  const int64_t time = 4000;
  const Case data{Tensor::zeros(DType::kFloat32, {1, time, 50}), Tensor::of<int32_t>({4000}, {1}),
                  Tensor::of<int32_t>({7}, {1, 1}), Tensor::of<int32_t>({1}, {1})};
  const float loss = loss_of(data, with_blank(49)).data<float>()[0];
  const double paths = static_cast<double>(time) * (time + 1) / 2.0;
  EXPECT_NEAR(loss, static_cast<double>(time) * std::log(50.0) - std::log(paths), 2e-3);
}

TEST(Ctc, SequencesWithoutAPath) {
  // "1 1" needs three frames; there are two.
  const Case data{random_scores({1, 2, 3}, 1), Tensor::of<int32_t>({2}, {1}), Tensor::of<int32_t>({1, 1}, {1, 2}),
                  Tensor::of<int32_t>({2}, {1})};
  const Tensor grad = Tensor::zeros(DType::kFloat32, {1, 2, 3});
  cpu::CtcOptions options = with_blank(2);
  EXPECT_EQ(loss_of(data, options, grad).data<float>()[0], std::numeric_limits<float>::infinity());
  const auto row = grad.to_vector<float>();
  EXPECT_NEAR(row[0] + row[1] + row[2], 1.0, 1e-6);
  options.no_path = cpu::CtcNoPath::kZeroInfinity;
  EXPECT_EQ(loss_of(data, options, grad).data<float>()[0], 0.0f);
  EXPECT_EQ(grad.to_vector<float>(), std::vector<float>(6, 0.0f));
  const Case bad{data.scores, data.lengths, Tensor::of<int32_t>({1, 3}, {1, 2}), data.label_lengths};
  EXPECT_THROW(loss_of(bad, options), Error);
}

std::vector<Labels> decoded(const Tensor& scores, const Tensor& lengths, bool time_major, int64_t beam_width) {
  const Tensor labels = Tensor::zeros(DType::kInt32, {lengths.dim(0), scores.dim(time_major ? 0 : 1)});
  const Tensor counts = Tensor::zeros(DType::kInt32, {lengths.dim(0)});
  cpu::ctc_decode(scores, lengths, time_major, beam_width, labels, counts);
  std::vector<Labels> result;
  for (int64_t b = 0; b < lengths.dim(0); ++b) {
    const int32_t* row = labels.data<int32_t>() + b * labels.dim(1);
    result.emplace_back(row, row + counts.data<int32_t>()[b]);
  }
  return result;
}

TEST(Ctc, BeamSearchFindsTheBestLabelling) {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Tensor scores = random_scores({1, 5, 4}, 100 + seed);
    std::map<Labels, double> sums;
    each_path(scores.data<float>(), 5, 4,
              [&](const std::vector<int>& path, double p) { sums[collapse(path, 3, true)] += p; });
    const auto best =
        std::max_element(sums.begin(), sums.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    const Tensor lengths = Tensor::of<int32_t>({5}, {1});
    EXPECT_EQ(decoded(scores, lengths, false, 1000).at(0), best->first) << seed;
  }
}

/// Beams that prune: what the search on the device finds is as far from each labelling as what the host's finds.
TEST(Ctc, DistanceOfTheSearchedLabelling) {
  for (const bool time_major : {false, true}) {
    for (const int64_t width : {2, 3, 8, 40}) {
      Graph graph;
      const Dim batch = Dim::fixed(3);
      const Shape shape = time_major ? Shape{9, 3, 37} : Shape{3, 9, 37};
      const Tensor scores = random_scores(shape, 300 + static_cast<unsigned>(width));
      const Tensor frames = Tensor::of<int32_t>({9, 4, 0}, {3});
      const std::vector<Labels> found = decoded(scores, frames, time_major, width);
      Labels labels;
      std::vector<int32_t> lengths;
      for (const Labels& row : found) {
        labels.insert(labels.end(), row.begin(), row.end());
        labels.resize((lengths.size() + 1) * 9, -1);
        lengths.push_back(static_cast<int32_t>(row.size()));
      }
      labels[0] = (labels[0] + 1) % 36;
      const Expr distance =
          ops::ctc_edit_distance(ops::input(graph, "scores", DType::kFloat32, test::fixed_dims(shape)),
                                 ops::input(graph, "frames", DType::kInt32, {batch}),
                                 ops::input(graph, "labels", DType::kInt32, {batch, Dim::fixed(9)}),
                                 ops::input(graph, "lengths", DType::kInt32, {batch}), time_major, width, false);
      const auto distances = test::evaluate(distance, {{"scores", scores},
                                                       {"frames", frames},
                                                       {"labels", Tensor::of<int32_t>(labels, {3, 9})},
                                                       {"lengths", Tensor::of<int32_t>(lengths, {3})}});
      EXPECT_EQ(distances.to_vector<float>(), (std::vector<float>{1, 0, 0})) << width;
    }
  }
}

/// Best classes by frame: 1 1 2 1 0 with 2 as the blank, that is 1 1 0; its first three frames: 1.
TEST(Ctc, DistanceOfTheBestPath) {
  for (const bool time_major : {false, true}) {
    Graph graph;
    const Dim batch = Dim::fixed(2);
    const Dim frames = Dim::fixed(5);
    const std::vector<Dim> dims =
        time_major ? std::vector<Dim>{frames, batch, Dim::fixed(3)} : std::vector<Dim>{batch, frames, Dim::fixed(3)};
    const Tensor one = Tensor::of<float>({0, 9, 0, 0, 9, 0, 0, 0, 9, 0, 9, 0, 9, 0, 0}, {5, 3});
    const Tensor scores = Tensor::empty(DType::kFloat32, time_major ? Shape{5, 2, 3} : Shape{2, 5, 3});
    for (int64_t i = 0; i < 30; ++i) {
      scores.data<float>()[i] = one.data<float>()[time_major ? i / 6 * 3 + i % 3 : i % 15];
    }
    const auto distances = [&](const std::vector<int32_t>& labels, bool collapse) {
      const Expr distance = ops::ctc_edit_distance(
          ops::input(graph, "scores", DType::kFloat32, dims), ops::input(graph, "frames", DType::kInt32, {batch}),
          ops::input(graph, "labels", DType::kInt32, {batch, Dim::fixed(3)}),
          ops::input(graph, "lengths", DType::kInt32, {batch}), time_major, 1, collapse);
      return test::evaluate(distance, {{"scores", scores},
                                       {"frames", Tensor::of<int32_t>({5, 3}, {2})},
                                       {"labels", Tensor::of<int32_t>(labels, {2, 3})},
                                       {"lengths", Tensor::of<int32_t>({3, 2}, {2})}})
          .to_vector<float>();
    };
    EXPECT_EQ(distances({1, 1, 0, 1, 1, 9}, false), (std::vector<float>{0, 1}));
    EXPECT_EQ(distances({1, 1, 0, 1, 1, 9}, true), (std::vector<float>{1, 0}));
    EXPECT_EQ(distances({0, 0, 2, 0, 1, 9}, false), (std::vector<float>{3, 1}));
  }
}

TEST(EditDistance, CountsChanges) {
  Graph graph;
  const Dim batch = Dim::fixed(3);
  const Expr a = ops::input(graph, "a", DType::kInt32, {batch, Dim::fixed(4)});
  const Expr b = ops::input(graph, "b", DType::kInt32, {batch, Dim::fixed(3)});
  const Expr a_lengths = ops::input(graph, "al", DType::kInt32, {batch});
  const Expr b_lengths = ops::input(graph, "bl", DType::kInt32, {batch});
  const std::map<std::string, Tensor> leaves{{"a", Tensor::of<int32_t>({1, 2, 3, 4, 1, 1, 0, 0, 5, 5, 5, 5}, {3, 4})},
                                             {"b", Tensor::of<int32_t>({2, 3, 5, 1, 2, 1, 7, 7, 7}, {3, 3})},
                                             {"al", Tensor::of<int32_t>({4, 2, 0}, {3})},
                                             {"bl", Tensor::of<int32_t>({3, 3, 2}, {3})}};
  EXPECT_EQ(test::evaluate(ops::edit_distance(a, a_lengths, b, b_lengths), leaves).to_vector<float>(),
            (std::vector<float>{2, 1, 2}));
  // 4 and 5 count as the same label.
  EXPECT_EQ(test::evaluate(ops::edit_distance(a, a_lengths, b, b_lengths, {0, 1, 2, 3, 5}), leaves).to_vector<float>(),
            (std::vector<float>{1, 1, 2}));
}

TEST(Bleu, KnownScores) {
  Graph graph;
  const Dim batch = Dim::fixed(2);
  const Expr a = ops::input(graph, "a", DType::kInt32, {batch, Dim::fixed(5)});
  const Expr b = ops::input(graph, "b", DType::kInt32, {batch, Dim::fixed(5)});
  const Expr lengths = ops::input(graph, "l", DType::kInt32, {batch});
  const auto score = test::evaluate(ops::bleu_score(a, lengths, b, lengths),
                                    {{"a", Tensor::of<int32_t>({1, 2, 3, 4, 5, 1, 2, 3, 9, 9}, {2, 5})},
                                     {"b", Tensor::of<int32_t>({1, 2, 3, 4, 5, 1, 2, 3, 4, 5}, {2, 5})},
                                     {"l", Tensor::of<int32_t>({5, 5}, {2})}})
                         .to_vector<float>();
  EXPECT_NEAR(score[0], 1.0, 1e-6);
  // Orders 1 to 3 match 3/5, 2/4, 1/3; order 4 none of 2: 1/2 after smoothing, over 2.
  EXPECT_NEAR(score[1], std::pow(0.6 * 0.5 / 3.0 * 0.25, 0.25), 1e-6);
}

}  // namespace
}  // namespace wende
