#include "kernels/column_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "kernels/matmul.h"
#include "kernels/random_values.h"

namespace wende::cpu {
namespace {

struct Case {
  int64_t rows, k;
  bool every_third;
};

class ColumnProduct : public testing::TestWithParam<Case> {
 protected:
  /// Rows of a longer matrix, or all.
  std::vector<int64_t> rows() const {
    std::vector<int64_t> rows;
    for (int64_t i = 0; i < GetParam().rows; ++i) rows.push_back(GetParam().every_third ? 3 * i + 1 : i);
    return rows;
  }
  int64_t all() const { return GetParam().every_third ? 3 * GetParam().rows + 2 : GetParam().rows; }
};

TEST_P(ColumnProduct, IsThatOfDoubles) {
  const int64_t k = GetParam().k;
  const std::vector<int64_t> list = rows();
  std::vector<float> x = random(all() * k, 1);
  std::vector<float> y(static_cast<size_t>(all()), 7.0f);
  const std::vector<float> column = random(k, 2);
  const float bias = 0.5f;
  const int64_t* only = GetParam().every_third ? list.data() : nullptr;
  column_product(GetParam().rows, {x.data(), k, only}, k, column.data(), &bias, {y.data(), 1, only});
  std::vector<double> expected(y.size(), 7.0);  // rows that are not in the list stay as they are
  for (const int64_t row : list) {
    double sum = bias;
    for (int64_t p = 0; p < k; ++p) {
      sum += static_cast<double>(x[static_cast<size_t>(row * k + p)]) * column[static_cast<size_t>(p)];
    }
    expected[static_cast<size_t>(row)] = sum;
  }
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(y[i], expected[i], 1e-5) << i;
}

TEST_P(ColumnProduct, WeightGradIsThatOfDoubles) {
  const int64_t k = GetParam().k;
  const std::vector<int64_t> list = rows();
  std::vector<float> a = random(all() * k, 3);
  std::vector<float> b = random(all(), 4);
  const int64_t* only = GetParam().every_third ? list.data() : nullptr;
  std::vector<float> out(static_cast<size_t>(k), std::nanf(""));
  column_weight_grad(GetParam().rows, {a.data(), k, only}, k, {b.data(), 1, only}, out.data());
  for (int64_t p = 0; p < k; ++p) {
    double sum = 0;
    for (const int64_t row : list) {
      sum += static_cast<double>(a[static_cast<size_t>(row * k + p)]) * b[static_cast<size_t>(row)];
    }
    ASSERT_NEAR(out[static_cast<size_t>(p)], sum, 2e-5) << p;
  }
}

INSTANTIATE_TEST_SUITE_P(Sizes, ColumnProduct,
                         testing::Values(Case{1, 1, false}, Case{7, 16, false}, Case{513, 100, false},
                                         Case{1030, 71, true}, Case{5, 3, true}, Case{0, 20, false},
                                         Case{6, 0, false}));

TEST(ColumnOfPackedRows, LeavesOutPadding) {
  const Rows rows{0, 2, 5};
  const Tensor x = Tensor::of<float>({1, 2, 9, 9, 3, 4, 9, 9, 9, 9, 5, 6}, {6, 2});
  const Tensor packed = Tensor::of<float>({1, 2, 3, 4, 5, 6}, {3, 2});
  const Tensor w = Tensor::of<float>({1, 10}, {2, 1});
  const Tensor y = Tensor::empty(DType::kFloat32, {6, 1});
  const Tensor packed_y = Tensor::empty(DType::kFloat32, {3, 1});
  linear(x, w, Tensor(), false, &rows, heap_scratch, y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{21, 0, 43, 0, 0, 65}));
  linear(packed, w, Tensor(), false, &rows, heap_scratch, y);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{21, 0, 43, 0, 0, 65}));
  linear(x, w, Tensor(), false, &rows, heap_scratch, packed_y);
  EXPECT_EQ(packed_y.to_vector<float>(), (std::vector<float>{21, 43, 65}));
  const Tensor dw = Tensor::empty(DType::kFloat32, {2, 1});
  const Tensor db = Tensor::empty(DType::kFloat32, {1});
  linear_weight_grad(packed, y, &rows, heap_scratch, dw, db);
  EXPECT_EQ(dw.to_vector<float>(), (std::vector<float>{21 + 3 * 43 + 5 * 65, 2 * 21 + 4 * 43 + 6 * 65}));
  EXPECT_EQ(db.to_vector<float>(), (std::vector<float>{21 + 43 + 65}));
}

}  // namespace
}  // namespace wende::cpu
