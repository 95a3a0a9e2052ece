#include "kernels/row_product.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "kernels/matmul.h"
#include "kernels/random_values.h"

namespace wende::cpu {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// `count` different rows of `all`, ascending.
std::vector<int64_t> some_rows(int64_t count, int64_t all, uint32_t seed) {
  std::vector<int64_t> rows(static_cast<size_t>(all));
  std::iota(rows.begin(), rows.end(), 0);
  std::shuffle(rows.begin(), rows.end(), std::mt19937(seed));
  rows.resize(static_cast<size_t>(count));
  std::sort(rows.begin(), rows.end());
  return rows;
}

/// NaN in all rows that are not listed: a product that reads one is seen.
void poison_other_rows(std::vector<float>& x, int64_t width, const std::vector<int64_t>& rows) {
  std::vector<float> kept(x.size(), kNaN);
  for (const int64_t row : rows) std::copy_n(x.begin() + row * width, width, kept.begin() + row * width);
  x = kept;
}

/// What this processor has.
std::vector<const ProductTiles*> all_tiles() {
  std::vector<const ProductTiles*> all = {&vector_tiles()};
  if (amx_tiles()) all.push_back(amx_tiles());
  return all;
}

/// The tiles for steps, and the same without help by others for few rows.
std::vector<const ProductTiles*> with_step_tiles(std::vector<const ProductTiles*> all) {
  if (const ProductTiles* steps = amx_step_tiles()) {
    static ProductTiles alone = *steps;
    alone.few_rows = nullptr;
    all.insert(all.end(), {steps, &alone});
  }
  return all;
}

std::string name_of(const ProductTiles* tiles) {
  if (tiles == &vector_tiles()) return "Vector";
  if (tiles == amx_tiles()) return "Amx";
  return tiles == amx_step_tiles() ? "Step" : "StepAlone";
}

struct ProductCase {
  int64_t m, n, k;
  bool transposed, bias, add;
};

class Product : public testing::TestWithParam<std::tuple<const ProductTiles*, ProductCase>> {};

TEST_P(Product, IsThatOfDoubles) {
  const auto [tiles, product] = GetParam();
  const auto [m, n, k, transposed, with_bias, add] = product;
  const int64_t all = m + m / 2 + 1;
  std::vector<float> a = random(all * k, 1);
  const std::vector<float> b = random(k * n, 2);
  const std::vector<float> bias = random(n, 3);
  const std::vector<int64_t> rows = some_rows(m, all, 4);
  poison_other_rows(a, k, rows);
  std::vector<float> c = add ? random(all * n, 5) : std::vector<float>(static_cast<size_t>(all * n), kNaN);
  const std::vector<float> before = c;
  const PackedMatrix packed(b.data(), k, n, transposed, m, heap_scratch, *tiles);
  packed.multiply(m, {a.data(), k, rows.data()}, {c.data(), n, rows.data()}, with_bias ? bias.data() : nullptr, add);
  size_t next = 0;
  for (int64_t row = 0; row < all; ++row) {
    const bool listed = next < rows.size() && rows[next] == row;
    if (listed) ++next;
    for (int64_t j = 0; j < n; ++j) {
      const float old = before[static_cast<size_t>(row * n + j)];
      const float value = c[static_cast<size_t>(row * n + j)];
      if (!listed) {
        ASSERT_TRUE(value == old || (std::isnan(value) && std::isnan(old))) << "row " << row << " is not in the list";
        continue;
      }
      double expected = add ? double{old} : with_bias ? double{bias[static_cast<size_t>(j)]} : 0.0;
      for (int64_t p = 0; p < k; ++p) {
        expected +=
            double{a[static_cast<size_t>(row * k + p)]} * b[static_cast<size_t>(transposed ? j * k + p : p * n + j)];
      }
      ASSERT_NEAR(value, expected, 1e-5 * std::sqrt(static_cast<double>(k + 1))) << "row " << row << " column " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Product,
    testing::Combine(
        testing::ValuesIn(with_step_tiles(all_tiles())),
        testing::Values(ProductCase{1, 1, 1, false, false, false}, ProductCase{13, 31, 5, false, true, false},
                        ProductCase{14, 32, 7, true, true, false}, ProductCase{15, 33, 511, false, false, true},
                        ProductCase{40, 70, 513, true, false, false}, ProductCase{226, 65, 1030, false, true, false},
                        ProductCase{500, 8, 16, true, false, true}, ProductCase{3, 40, 0, false, true, false},
                        ProductCase{48, 64, 96, false, false, false}, ProductCase{29, 96, 1024, true, true, false})),
    [](const auto& info) { return name_of(std::get<0>(info.param)) + std::to_string(info.index); });

struct TransposedCase {
  int64_t rows, m, n;
  bool add;
};

class TransposedProduct : public testing::TestWithParam<std::tuple<const ProductTiles*, TransposedCase>> {};

TEST_P(TransposedProduct, IsThatOfDoubles) {
  const auto [tiles, product] = GetParam();
  const auto [count, m, n, add] = product;
  const int64_t all = 2 * count + 1;
  std::vector<float> a = random(all * m, 1);
  std::vector<float> b = random(all * n, 2);
  const std::vector<int64_t> rows_a = some_rows(count, all, 3);
  const std::vector<int64_t> rows_b = some_rows(count, all, 4);
  poison_other_rows(a, m, rows_a);
  poison_other_rows(b, n, rows_b);
  std::vector<float> out = add ? random(m * n, 5) : std::vector<float>(static_cast<size_t>(m * n), kNaN);
  std::vector<float> sums = add ? random(n, 6) : std::vector<float>(static_cast<size_t>(n), kNaN);
  const std::vector<float> out_before = out;
  const std::vector<float> sums_before = sums;
  transposed_product(count, {a.data(), m, rows_a.data()}, m, {b.data(), n, rows_b.data()}, n, add, out.data(),
                     sums.data(), heap_scratch, *tiles);
  const double tolerance = 1e-5 * std::sqrt(static_cast<double>(count + 1));
  for (int64_t j = 0; j < n; ++j) {
    double sum = add ? double{sums_before[static_cast<size_t>(j)]} : 0.0;
    for (const int64_t row : rows_b) sum += double{b[static_cast<size_t>(row * n + j)]};
    ASSERT_NEAR(sums[static_cast<size_t>(j)], sum, tolerance) << "column " << j;
    for (int64_t i = 0; i < m; ++i) {
      double expected = add ? double{out_before[static_cast<size_t>(i * n + j)]} : 0.0;
      for (size_t r = 0; r < rows_a.size(); ++r) {
        expected += double{a[static_cast<size_t>(rows_a[r] * m + i)]} * b[static_cast<size_t>(rows_b[r] * n + j)];
      }
      ASSERT_NEAR(out[static_cast<size_t>(i * n + j)], expected, tolerance) << i << ", " << j;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, TransposedProduct,
    testing::Combine(testing::ValuesIn(all_tiles()),
                     testing::Values(TransposedCase{1, 1, 1, false}, TransposedCase{5, 13, 33, true},
                                     TransposedCase{513, 15, 40, false}, TransposedCase{1100, 28, 64, true},
                                     TransposedCase{20, 520, 5, false}, TransposedCase{0, 3, 4, false})),
    [](const auto& info) { return name_of(std::get<0>(info.param)) + std::to_string(info.index); });

/// Root mean square of the errors of a product of standard normal values, relative to the product's.
double relative_error(const ProductTiles& tiles, float scale) {
  constexpr int64_t kRows = 64, kColumns = 96, kDepth = 700;
  std::mt19937 generator(7);
  std::normal_distribution<float> normal;
  std::vector<float> a(kRows * kDepth), b(kDepth * kColumns), c(kRows * kColumns);
  for (float& value : a) value = normal(generator) * scale;
  for (float& value : b) value = normal(generator) / scale;
  PackedMatrix(b.data(), kDepth, kColumns, false, kRows, heap_scratch, tiles)
      .multiply(kRows, {a.data(), kDepth}, {c.data(), kColumns});
  double errors = 0.0, squares = 0.0;
  for (size_t i = 0; i < kRows; ++i) {
    for (size_t j = 0; j < kColumns; ++j) {
      double sum = 0.0;
      for (size_t p = 0; p < kDepth; ++p) sum += double{a[i * kDepth + p]} * b[p * kColumns + j];
      errors += (c[i * kColumns + j] - sum) * (c[i * kColumns + j] - sum);
      squares += sum * sum;
    }
  }
  return std::sqrt(errors / squares);
}

TEST(AmxTiles, AreAtLeastAsNearAsFloat32) {
  if (!amx_tiles()) GTEST_SKIP() << "this processor, or the compiler, has no AMX";
  for (const float scale : {1.0f, 1e12f, 1e-12f}) {
    EXPECT_LT(relative_error(*amx_tiles(), scale), relative_error(vector_tiles(), scale)) << "scale " << scale;
    EXPECT_LT(relative_error(*amx_step_tiles(), scale), relative_error(vector_tiles(), scale)) << "scale " << scale;
  }
}

TEST(AmxTiles, RoundNoMoreThanAskedFor) {
  if (!amx_tiles()) GTEST_SKIP() << "this processor, or the compiler, has no AMX";
  // A product of two values that are rounded to b bits is off by at most 2^-b of it; on average by much less.
  const double tf32 = relative_error(*amx_tiles(ProductPrecision::kTf32), 1.0f);
  const double bfloat16 = relative_error(*amx_tiles(ProductPrecision::kBf16), 1.0f);
  EXPECT_LT(tf32, 0x1p-14);
  EXPECT_GT(tf32, 0x1p-20) << "three terms?";
  EXPECT_LT(bfloat16, 0x1p-8);
  EXPECT_GT(bfloat16, 0x1p-12) << "two terms?";
}

/// One value of a row of A is `value`; the sums of that row and of the next, which must not see it.
std::pair<float, float> sums_with(float value, const ProductTiles& tiles) {
  std::vector<float> a(2 * 40, 0.5f), b(40 * 32, 0.25f), c(2 * 32);
  a[3] = value;
  PackedMatrix(b.data(), 40, 32, false, 2, heap_scratch, tiles).multiply(2, {a.data(), 40}, {c.data(), 32});
  return {c[0], c[32]};
}

TEST(AmxTiles, ShowWhatIsNotFinite) {
  if (!amx_tiles()) GTEST_SKIP() << "this processor, or the compiler, has no AMX";
  for (const float value : {kNaN, std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity()}) {
    for (const ProductTiles* tiles : with_step_tiles({amx_tiles()})) {
      EXPECT_FALSE(std::isfinite(sums_with(value, *tiles).first)) << name_of(tiles);
      EXPECT_EQ(sums_with(value, *tiles).second, 5.0f) << name_of(tiles);
    }
  }
  for (const ProductTiles* tiles : with_step_tiles({amx_tiles()})) {
    EXPECT_FLOAT_EQ(sums_with(3e38f, *tiles).first, 7.5e37f) << name_of(tiles);
    EXPECT_FLOAT_EQ(sums_with(1.0f + 0x1p-23f, *tiles).first, 39 * 0.125f + 0.25f * (1.0f + 0x1p-23f))
        << name_of(tiles);
  }
}

TEST(Linear, LeavesOutPaddingAndWritesZeros) {
  const int64_t frames = 300, k = 6, n = 37;
  for (const int64_t count : {int64_t{0}, int64_t{3}, int64_t{250}}) {
    const Rows rows = some_rows(count, frames, 1);
    std::vector<float> x = random(frames * k, 2);
    poison_other_rows(x, k, rows);
    const Tensor w = Tensor::of<float>(random(k * n, 3), {k, n});
    const Tensor out = Tensor::of<float>(std::vector<float>(static_cast<size_t>(frames * n), kNaN), {frames, n});
    linear(Tensor::of<float>(x, {frames, k}), w, Tensor(), false, &rows, heap_scratch, out);
    size_t next = 0;
    for (int64_t row = 0; row < frames; ++row) {
      const bool listed = next < rows.size() && rows[next] == row;
      if (listed) ++next;
      for (int64_t j = 0; j < n; ++j) {
        double expected = 0;
        for (int64_t p = 0; listed && p < k; ++p) {
          expected += double{x[static_cast<size_t>(row * k + p)]} * w.data<float>()[p * n + j];
        }
        ASSERT_NEAR(out.data<float>()[row * n + j], expected, 1e-5) << "row " << row;
      }
    }
  }
}

}  // namespace
}  // namespace wende::cpu
