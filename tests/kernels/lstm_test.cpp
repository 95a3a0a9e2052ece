#include "kernels/lstm.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>

namespace wende::cpu {
namespace {

Tensor random(Shape shape, uint32_t seed) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(-1.0f, 1.0f);
  Tensor x = Tensor::empty(DType::kFloat32, shape);
  for (int64_t i = 0; i < x.elements(); ++i) x.data<float>()[i] = uniform(generator);
  return x;
}

struct Sizes {
  int64_t time = 6, batch = 5, n = 19;
  std::vector<int32_t> lengths{3, 6, 0, 6, 1};
};

double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

/// One sequence after the other, in double precision.
void reference(const Sizes& s, const LstmForward& a, const LstmOptions& o, std::vector<double>& y,
               std::vector<double>& last_h, std::vector<double>& last_c) {
  const int64_t n = s.n;
  y.assign(static_cast<size_t>(s.time * s.batch * n), 0.0);
  last_h.assign(static_cast<size_t>(s.batch * n), 0.0);
  last_c = last_h;
  const int64_t block_j = o.tf_order ? 1 : 0;
  for (int64_t b = 0; b < s.batch; ++b) {
    std::vector<double> h(static_cast<size_t>(n)), c(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; ++k) {
      h[k] = a.h0.defined() ? a.h0.data<float>()[b * n + k] : 0.0;
      c[k] = a.c0.defined() ? a.c0.data<float>()[b * n + k] : 0.0;
    }
    for (int64_t step = 0; step < s.lengths[b]; ++step) {
      const int64_t t = o.direction > 0 ? step : s.lengths[b] - 1 - step;
      std::vector<double> z(static_cast<size_t>(4 * n));
      for (int64_t k = 0; k < 4 * n; ++k) {
        z[k] = a.z.data<float>()[(t * s.batch + b) * 4 * n + k];
        for (int64_t m = 0; m < n; ++m) z[k] += h[m] * a.w_re.data<float>()[m * 4 * n + k];
      }
      for (int64_t k = 0; k < n; ++k) {
        const double j = std::tanh(z[block_j * n + k]);
        const double i = sigmoid(z[(1 - block_j) * n + k]);
        c[k] = sigmoid(z[2 * n + k] + o.forget_bias) * c[k] + i * j;
        h[k] = sigmoid(z[3 * n + k]) * std::tanh(c[k]);
        y[(t * s.batch + b) * n + k] = h[k];
      }
    }
    for (int64_t k = 0; k < n; ++k) {
      last_h[b * n + k] = h[k];
      last_c[b * n + k] = c[k];
    }
  }
}

LstmForward make(const Sizes& s, bool initial) {
  LstmForward a;
  a.z = random({s.time, s.batch, 4 * s.n}, 1);
  a.w_re = random({s.n, 4 * s.n}, 2);
  a.lengths = Tensor::of<int32_t>(s.lengths, {s.batch});
  if (initial) {
    a.c0 = random({s.batch, s.n}, 3);
    a.h0 = random({s.batch, s.n}, 4);
  }
  a.y = Tensor::empty(DType::kFloat32, {s.time, s.batch, s.n});
  a.last_h = Tensor::empty(DType::kFloat32, {s.batch, s.n});
  a.last_c = Tensor::empty(DType::kFloat32, {s.batch, s.n});
  a.gates = Tensor::empty(DType::kFloat32, {s.time, s.batch, 4 * s.n});
  a.cells = Tensor::empty(DType::kFloat32, {s.time, s.batch, s.n});
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (int64_t b = 0; b < s.batch; ++b) {
    for (int64_t t = s.lengths[b]; t < s.time; ++t) {
      for (int64_t k = 0; k < 4 * s.n; ++k) a.z.data<float>()[(t * s.batch + b) * 4 * s.n + k] = nan;
    }
  }
  return a;
}

void expect_close(const Tensor& x, const std::vector<double>& y, double tolerance, const char* what) {
  const auto values = x.to_vector<float>();
  ASSERT_EQ(values.size(), y.size());
  for (size_t i = 0; i < y.size(); ++i) ASSERT_NEAR(values[i], y[i], tolerance) << what << " " << i;
}

struct Case {
  LstmOptions options;
  bool initial;
};

class LstmTest : public testing::TestWithParam<Case> {};

TEST_P(LstmTest, ForwardEqualsSlowLoop) {
  const Sizes s;
  const LstmForward a = make(s, GetParam().initial);
  lstm_forward(a, GetParam().options, heap_scratch);
  std::vector<double> y, h, c;
  reference(s, a, GetParam().options, y, h, c);
  expect_close(a.y, y, 3e-6, "y");
  expect_close(a.last_h, h, 3e-6, "last_h");
  expect_close(a.last_c, c, 3e-6, "last_c");
}

/// Loss = sum(wy y) + sum(wh last_h) + sum(wc last_c); numeric gradients come from the double loop.
TEST_P(LstmTest, BackwardEqualsFiniteDifferences) {
  const Sizes s;
  const LstmForward a = make(s, GetParam().initial);
  lstm_forward(a, GetParam().options, heap_scratch);
  LstmBackward g;
  g.dy = random({s.time, s.batch, s.n}, 5);
  g.d_last_h = random({s.batch, s.n}, 6);
  g.d_last_c = random({s.batch, s.n}, 7);
  g.gates = a.gates, g.cells = a.cells, g.y = a.y, g.w_re = a.w_re, g.lengths = a.lengths, g.c0 = a.c0, g.h0 = a.h0;
  g.dz = Tensor::empty(DType::kFloat32, a.z.shape());
  g.dw_re = Tensor::empty(DType::kFloat32, a.w_re.shape());
  g.dc0 = Tensor::empty(DType::kFloat32, a.last_c.shape());
  g.dh0 = Tensor::empty(DType::kFloat32, a.last_h.shape());
  lstm_backward(g, GetParam().options, heap_scratch);
  auto loss = [&] {
    std::vector<double> y, h, c;
    reference(s, a, GetParam().options, y, h, c);
    double sum = 0;
    for (size_t i = 0; i < y.size(); ++i) sum += y[i] * g.dy.data<float>()[i];
    for (size_t i = 0; i < h.size(); ++i)
      sum += h[i] * g.d_last_h.data<float>()[i] + c[i] * g.d_last_c.data<float>()[i];
    return sum;
  };
  auto check = [&](const Tensor& x, const Tensor& dx, const char* what) {
    for (int64_t i = 0; i < x.elements(); i += 1 + x.elements() / 60) {
      float& value = x.data<float>()[i];
      const float saved = value;
      if (std::isnan(saved)) {
        ASSERT_EQ(dx.data<float>()[i], 0.0f) << what << " in padding";
        continue;
      }
      value = saved + 1e-3f;
      const double above = value;
      const double high = loss();
      value = saved - 1e-3f;
      const double numeric = (high - loss()) / (above - value);
      value = saved;
      ASSERT_NEAR(dx.data<float>()[i], numeric, 2e-4 * std::max(1.0, std::abs(numeric))) << what << " " << i;
    }
  };
  check(a.z, g.dz, "dz");
  check(a.w_re, g.dw_re, "dw_re");
  if (!GetParam().initial) return;
  check(a.c0, g.dc0, "dc0");
  check(a.h0, g.dh0, "dh0");
}

/// The frames of x [T,B,n] alone: [frames,n].
Tensor packed(const Sizes& s, const Tensor& x) {
  std::vector<float> rows;
  for (int64_t t = 0; t < s.time; ++t) {
    for (int64_t b = 0; b < s.batch; ++b) {
      const float* row = x.data<float>() + (t * s.batch + b) * x.dim(2);
      if (t < s.lengths[b]) rows.insert(rows.end(), row, row + x.dim(2));
    }
  }
  return Tensor::of<float>(rows, {static_cast<int64_t>(rows.size()) / x.dim(2), x.dim(2)});
}

TEST_P(LstmTest, TensorsWithoutPaddingGiveTheSameBits) {
  const Sizes s;
  const LstmOptions& options = GetParam().options;
  const LstmForward a = make(s, GetParam().initial);
  LstmForward p = a;
  p.z = packed(s, a.z), p.y = packed(s, a.y), p.gates = p.z, p.cells = packed(s, a.cells);
  p.last_h = a.last_h.clone(), p.last_c = a.last_c.clone();
  lstm_forward(a, options, heap_scratch);
  lstm_forward(p, options, heap_scratch);
  EXPECT_EQ(p.y.to_vector<float>(), packed(s, a.y).to_vector<float>());
  EXPECT_EQ(p.gates.to_vector<float>(), packed(s, a.gates).to_vector<float>());
  EXPECT_EQ(p.cells.to_vector<float>(), packed(s, a.cells).to_vector<float>());
  EXPECT_EQ(p.last_c.to_vector<float>(), a.last_c.to_vector<float>());
  LstmBackward g;
  g.dy = random({s.time, s.batch, s.n}, 5);
  g.gates = a.gates, g.cells = a.cells, g.y = a.y, g.w_re = a.w_re, g.lengths = a.lengths, g.c0 = a.c0, g.h0 = a.h0;
  g.dz = Tensor::empty(DType::kFloat32, a.z.shape());
  g.dw_re = Tensor::empty(DType::kFloat32, a.w_re.shape());
  LstmBackward q = g;
  q.dy = packed(s, g.dy), q.gates = p.gates, q.cells = p.cells, q.dz = p.gates;  // y as it was: any mixture will do
  q.dw_re = Tensor::empty(DType::kFloat32, a.w_re.shape());
  lstm_backward(g, options, heap_scratch);
  lstm_backward(q, options, heap_scratch);
  EXPECT_EQ(q.dz.to_vector<float>(), packed(s, g.dz).to_vector<float>());
  EXPECT_EQ(q.dw_re.to_vector<float>(), g.dw_re.to_vector<float>());
}

INSTANTIATE_TEST_SUITE_P(All, LstmTest,
                         testing::Values(Case{{1, false, 0.0f}, false}, Case{{-1, false, 0.0f}, true},
                                         Case{{1, true, 1.0f}, true}, Case{{-1, true, 1.0f}, false}));

}  // namespace
}  // namespace wende::cpu
