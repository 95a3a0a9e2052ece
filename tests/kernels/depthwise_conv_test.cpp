#include "kernels/depthwise_conv.h"

#include <gtest/gtest.h>

#include <random>

namespace wende::cpu {
namespace {

struct Case {
  const char* name;
  int64_t batch, size, channels, taps, dilation, left, steps;
};

/// x [B,S,C], w [K,1,C], y [B,O,C] of random numbers.
struct Tensors {
  Tensor x, w, y;
  explicit Tensors(const Case& c)
      : x(random({c.batch, c.size, c.channels}, 1)),
        w(random({c.taps, 1, c.channels}, 2)),
        y(random({c.batch, c.steps, c.channels}, 3)) {}
  static Tensor random(Shape shape, uint32_t seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
    Tensor tensor = Tensor::empty(DType::kFloat32, shape);
    for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = uniform(generator);
    return tensor;
  }
};

class DepthwiseConv : public testing::TestWithParam<Case> {
 protected:
  /// f(element of x, of w, of y) for all that belong together.
  template <class F>
  void for_each_product(const F& f) const {
    const Case& c = GetParam();
    for (int64_t b = 0; b < c.batch; ++b) {
      for (int64_t o = 0; o < c.steps; ++o) {
        for (int64_t k = 0; k < c.taps; ++k) {
          const int64_t s = o + k * c.dilation - c.left;
          for (int64_t i = 0; s >= 0 && s < c.size && i < c.channels; ++i) {
            f((b * c.size + s) * c.channels + i, k * c.channels + i, (b * c.steps + o) * c.channels + i);
          }
        }
      }
    }
  }
  ConvGeometry geometry() const {
    const Case& c = GetParam();
    return {.rank = 1, .dilations = {c.dilation, 1, 1}, .left = {c.left, 0, 0}, .groups = c.channels};
  }
  static void expect_near(const Tensor& result, const std::vector<double>& expected) {
    const std::vector<float> values = result.to_vector<float>();
    ASSERT_EQ(values.size(), expected.size());
    for (size_t i = 0; i < values.size(); ++i) ASSERT_NEAR(values[i], expected[i], 2e-5) << i;
  }
};

TEST_P(DepthwiseConv, EqualsItsDefinition) {
  const Tensors t(GetParam());
  ASSERT_TRUE(is_depthwise(t.x, t.w, t.y, geometry()));
  const float* x = t.x.data<float>();
  const float* w = t.w.data<float>();
  const float* dy = t.y.data<float>();
  const auto zeros = [](const Tensor& like) { return std::vector<double>(static_cast<size_t>(like.elements())); };
  std::vector<double> y = zeros(t.y), dx = zeros(t.x), dw = zeros(t.w);
  for_each_product([&](int64_t at_x, int64_t at_w, int64_t at_y) {
    y[static_cast<size_t>(at_y)] += static_cast<double>(x[at_x]) * w[at_w];
    dx[static_cast<size_t>(at_x)] += static_cast<double>(dy[at_y]) * w[at_w];
    dw[static_cast<size_t>(at_w)] += static_cast<double>(dy[at_y]) * x[at_x];
  });
  const Tensor result = Tensor::empty(DType::kFloat32, t.y.shape());
  conv(t.x, t.w, geometry(), result);
  expect_near(result, y);
  const Tensor result_dx = Tensor::empty(DType::kFloat32, t.x.shape());
  conv_input_grad(t.y, t.w, geometry(), result_dx);
  expect_near(result_dx, dx);
  const Tensor result_dw = Tensor::empty(DType::kFloat32, t.w.shape());
  conv_filter_grad(t.x, t.y, geometry(), result_dw);
  expect_near(result_dw, dw);
}

INSTANTIATE_TEST_SUITE_P(Sizes, DepthwiseConv,
                         testing::Values(Case{"same", 2, 23, 37, 7, 1, 3, 23}, Case{"valid", 3, 40, 32, 9, 1, 0, 32},
                                         Case{"dilated", 1, 19, 5, 4, 3, 5, 19}, Case{"one_tap", 2, 8, 70, 1, 1, 0, 8},
                                         Case{"filter_longer_than_input", 2, 3, 33, 31, 1, 15, 3},
                                         Case{"far_left", 1, 6, 4, 2, 1, 9, 12}, Case{"no_frames", 2, 0, 4, 3, 1, 1, 0},
                                         Case{"no_sequences", 0, 9, 4, 3, 1, 1, 9}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace wende::cpu
