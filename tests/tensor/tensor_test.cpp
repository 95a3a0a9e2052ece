#include "tensor/tensor.h"

#include <gtest/gtest.h>

#include <numeric>

#include "base/error.h"

namespace wende {
namespace {

Tensor counted(Shape shape) {
  std::vector<float> values(static_cast<size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), 0.0f);
  return Tensor::of(values, shape);
}

TEST(Tensor, UndefinedAndEmptyDiffer) {
  EXPECT_FALSE(Tensor().defined());
  const Tensor empty = Tensor::empty(DType::kFloat32, {0, 3});
  EXPECT_TRUE(empty.defined());
  EXPECT_EQ(empty.elements(), 0);
  EXPECT_TRUE(empty.clone().defined());
  EXPECT_TRUE(Tensor::wrap(DType::kInt32, {0}, nullptr).defined());
}

TEST(Tensor, ScalarHasRankZeroAndOneElement) {
  const Tensor scalar = Tensor::scalar(2.5f);
  EXPECT_EQ(scalar.rank(), 0);
  EXPECT_EQ(scalar.to_vector<float>(), std::vector<float>{2.5f});
  EXPECT_EQ(scalar.str(), "float32 [] (2.5)");
}

TEST(Tensor, PermutedViewReadsInNewOrder) {
  const Tensor view = counted({2, 3}).permuted({1, 0});
  EXPECT_FALSE(view.contiguous());
  EXPECT_EQ(view.to_vector<float>(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  EXPECT_THROW(counted({2, 3}).permuted({0, 0}), Error);
}

TEST(Tensor, LargePermutationsMatchElementwiseCopies) {
  for (const std::vector<int>& axes : {std::vector<int>{1, 0, 2}, {2, 1, 0}, {0, 2, 1}, {2, 0, 1}}) {
    const Tensor x = counted({19, 37, 23});
    const Tensor y = x.permuted(axes).clone();
    const auto values = y.to_vector<float>();
    size_t k = 0;
    std::array<int64_t, 3> i{};
    for (i[0] = 0; i[0] < y.dim(0); ++i[0]) {
      for (i[1] = 0; i[1] < y.dim(1); ++i[1]) {
        for (i[2] = 0; i[2] < y.dim(2); ++i[2]) {
          int64_t offset = 0;
          for (size_t a = 0; a < 3; ++a) offset += i[a] * x.strides()[axes[a]];
          ASSERT_EQ(values[k++], static_cast<float>(offset));
        }
      }
    }
  }
}

TEST(Tensor, SlicesAndSteps) {
  const Tensor x = counted({2, 5});
  EXPECT_EQ(x.sliced(1, 1, 3).to_vector<float>(), (std::vector<float>{1, 2, 6, 7}));
  EXPECT_EQ(x.strided(1, 4, 3, -2).to_vector<float>(), (std::vector<float>{4, 2, 0, 9, 7, 5}));
  EXPECT_EQ(x.sliced(1, 5, 5).elements(), 0);
  EXPECT_THROW(x.sliced(1, 3, 6), Error);
}

TEST(Tensor, BroadcastRepeatsAxesOfSizeOne) {
  const Tensor x = Tensor::of<int32_t>({1, 2}, {2, 1});
  EXPECT_EQ(x.broadcast_to({2, 3}).to_vector<int32_t>(), (std::vector<int32_t>{1, 1, 1, 2, 2, 2}));
  EXPECT_THROW(x.broadcast_to({3, 3}), Error);
}

TEST(Tensor, CopyIntoAStridedView) {
  const Tensor target = Tensor::zeros(DType::kBool, {2, 2});
  target.permuted({1, 0}).copy_from(Tensor::of<bool>({true, true, false, false}, {2, 2}));
  EXPECT_EQ(target.to_vector<bool>(), (std::vector<bool>{true, false, true, false}));
}

TEST(Tensor, WrongTypeAndSizeAreErrors) {
  EXPECT_THROW(Tensor::scalar(1).data<int32_t>(), Error);
  EXPECT_THROW(Tensor::of<float>({1, 2}, {3}), Error);
  EXPECT_THROW(counted({2, 3}).reshaped({4}), Error);
  EXPECT_THROW(dtype_from_name("floot32"), Error);
  EXPECT_EQ(dtype_from_name("int64"), DType::kInt64);
}

}  // namespace
}  // namespace wende
