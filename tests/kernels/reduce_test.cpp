#include "kernels/reduce.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

namespace wende {
namespace {

Tensor pseudo_random(Shape shape) {
  const Tensor x = Tensor::empty(DType::kFloat32, shape);
  uint32_t state = 1;
  for (int64_t i = 0; i < x.elements(); ++i) {
    state = state * 1664525u + 1013904223u;
    x.data<float>()[i] = static_cast<float>(state >> 8) / 16777216.0f - 0.3f;
  }
  return x;
}

/// Per kept position, in C order: all values that are reduced into it.
std::vector<std::vector<double>> groups(const Tensor& x, const std::vector<int>& axes) {
  std::map<std::vector<int64_t>, std::vector<double>> by_position;
  for (int64_t i = 0; i < x.elements(); ++i) {
    std::vector<int64_t> position;
    for (int axis = 0; axis < x.rank(); ++axis) {
      const bool reduced = std::find(axes.begin(), axes.end(), axis) != axes.end();
      if (!reduced) position.push_back(i / x.strides()[axis] % x.dim(axis));
    }
    by_position[position].push_back(x.data<float>()[i]);
  }
  std::vector<std::vector<double>> result;
  for (auto& [position, values] : by_position) result.push_back(values);
  return result;
}

TEST(ReduceKernel, EverySetOfAxesMatchesAPlainLoop) {
  const Tensor x = pseudo_random({5, 70, 3, 41});
  for (uint32_t set = 1; set < 16; ++set) {
    std::vector<int> axes;
    Shape shape;
    for (int axis = 0; axis < 4; ++axis) {
      if ((set >> axis & 1u) != 0)
        axes.push_back(axis);
      else
        shape.push_back(x.dim(axis));
    }
    const auto expected = groups(x, axes);
    const Tensor out = Tensor::empty(DType::kFloat32, shape);
    for (const Reduction kind :
         {Reduction::kSum, Reduction::kMean, Reduction::kMax, Reduction::kMin, Reduction::kLogSumExp}) {
      cpu::reduce(kind, x, axes, out);
      const auto values = out.to_vector<float>();
      ASSERT_EQ(values.size(), expected.size());
      for (size_t i = 0; i < values.size(); ++i) {
        double sum = 0, largest = -1e30, smallest = 1e30, exps = 0;
        for (const double v : expected[i]) {
          sum += v;
          exps += std::exp(v);
          largest = std::max(largest, v);
          smallest = std::min(smallest, v);
        }
        const std::map<Reduction, double> want = {{Reduction::kSum, sum},
                                                  {Reduction::kMean, sum / static_cast<double>(expected[i].size())},
                                                  {Reduction::kMax, largest},
                                                  {Reduction::kMin, smallest},
                                                  {Reduction::kLogSumExp, std::log(exps)}};
        ASSERT_NEAR(values[i], want.at(kind), 2e-6 * std::max(1.0, std::abs(want.at(kind))))
            << "axes " << set << " kind " << static_cast<int>(kind);
      }
    }
  }
}

TEST(ReduceKernel, LongSumsKeepTheirDigits) {
  const int64_t n = 3000000;
  const Tensor x = Tensor::empty(DType::kFloat32, {n, 2});
  for (int64_t i = 0; i < 2 * n; ++i) x.data<float>()[i] = 0.1f;
  const Tensor all = Tensor::empty(DType::kFloat32, {});
  cpu::reduce(Reduction::kSum, x, {0, 1}, all);
  EXPECT_NEAR(*all.data<float>(), 600000.0, 0.3);
  const Tensor columns = Tensor::empty(DType::kFloat32, {2});
  cpu::reduce(Reduction::kSum, x, {0}, columns);
  EXPECT_NEAR(columns.data<float>()[1], 300000.0, 0.3);
}

TEST(ReduceKernel, EmptyAndInfiniteOperands) {
  const Tensor out = Tensor::empty(DType::kFloat32, {2});
  cpu::reduce(Reduction::kSum, Tensor::empty(DType::kFloat32, {2, 0}), {1}, out);
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{0, 0}));
  cpu::reduce(Reduction::kMax, Tensor::empty(DType::kFloat32, {2, 0}), {1}, out);
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{-INFINITY, -INFINITY}));
  cpu::reduce(Reduction::kLogSumExp, Tensor::of<float>({-INFINITY, -INFINITY, 0, -INFINITY}, {2, 2}), {1}, out);
  EXPECT_EQ(out.to_vector<float>(), (std::vector<float>{-INFINITY, 0}));
}

TEST(ReduceKernel, IntegersAndBools) {
  const Tensor out = Tensor::empty(DType::kInt32, {2});
  cpu::reduce(Reduction::kMax, Tensor::of<int32_t>({1, 5, -7, -2}, {2, 2}), {1}, out);
  EXPECT_EQ(out.to_vector<int32_t>(), (std::vector<int32_t>{5, -2}));
  const Tensor flags = Tensor::empty(DType::kBool, {2});
  const Tensor x = Tensor::of<bool>({true, false, true, true}, {2, 2});
  cpu::reduce(Reduction::kAny, x, {1}, flags);
  EXPECT_EQ(flags.to_vector<bool>(), (std::vector<bool>{true, true}));
  cpu::reduce(Reduction::kAll, x, {0}, flags);
  EXPECT_EQ(flags.to_vector<bool>(), (std::vector<bool>{true, false}));
}

TEST(ReduceKernel, ArgmaxTakesTheFirstOfEqualElements) {
  const Tensor out = Tensor::empty(DType::kInt32, {2});
  const Tensor x = Tensor::of<float>({1, 3, 3, 0, -1, -1}, {2, 3});
  cpu::arg_extremum(true, x, 1, out);
  EXPECT_EQ(out.to_vector<int32_t>(), (std::vector<int32_t>{1, 0}));
  cpu::arg_extremum(false, x, 1, out);
  EXPECT_EQ(out.to_vector<int32_t>(), (std::vector<int32_t>{0, 1}));
}

}  // namespace
}  // namespace wende
