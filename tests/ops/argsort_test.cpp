#include "ops/argsort.h"

#include <numeric>

#include "ops/finite_difference.h"

namespace wende {
namespace {

/// Rows of one element, of a whole block's sort, and of several blocks' (kernels sort 2048 keys at once).
class Argsort : public testing::TestWithParam<int64_t> {};

TEST_P(Argsort, AsAStableSortOfEachRow) {
  const int64_t n = GetParam();
  constexpr int64_t kRows = 3;
  Tensor x = test::random_tensor({kRows, n}, 5, -4.0, 4.0);
  for (int64_t i = 0; i < x.elements(); i += 2) x.data<float>()[i] = std::round(x.data<float>()[i]);  // many are equal
  Graph graph;
  const Expr order =
      ops::argsort_descending(ops::input(graph, "x", DType::kFloat32, {Dim::fixed(kRows), Dim::fixed(n)}));
  const std::vector<Tensor> results = test::evaluate({order, graph.output_of(order, 1)}, {{"x", x}});
  for (int64_t row = 0; row < kRows; ++row) {
    const float* values = x.data<float>() + row * n;
    std::vector<int32_t> expected(static_cast<size_t>(n));
    std::iota(expected.begin(), expected.end(), 0);
    std::stable_sort(expected.begin(), expected.end(), [&](int32_t a, int32_t b) { return values[a] > values[b]; });
    for (int64_t i = 0; i < n; ++i) {
      const int32_t index = expected[static_cast<size_t>(i)];
      ASSERT_EQ(results[0].data<int32_t>()[row * n + i], index) << "row " << row << ", place " << i;
      ASSERT_EQ(results[1].data<float>()[row * n + i], values[index]);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, Argsort, testing::Values(1, 2, 7, 2048, 2049, 5000));

}  // namespace
}  // namespace wende
