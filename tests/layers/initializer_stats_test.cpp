/// Statistics of what RETURNN 1.2026's get_initializer draws with TensorFlow 2.15, for every initialiser that it knows
/// by name, class or expression.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "config/config.h"
#include "layers/initializer.h"

namespace wende {
namespace {

struct Case {
  const char* option;
  Shape shape;
  double mean;
  double deviation;
  double smallest;
  double largest;
  double square;  ///< of each row (or column, if they are fewer), which is orthogonal to the others; -1: not orthogonal
};

void PrintTo(const Case& test, std::ostream* out) { *out << test.option << " " << test.shape.str(); }

const std::vector<Case> kCases{
    {"'zeros'", {200, 300}, 0, 0, 0, 0, -1},
    {"'ones'", {200, 300}, 1, 0, 1, 1, -1},
    {"'constant'", {200, 300}, 0, 0, 0, 0, -1},
    {"'identity'", {200, 300}, 0.00333333, 0.0576387, 0, 1, -1},
    {"'random_uniform'", {200, 300}, 0.500438, 0.289209, 2.02656e-06, 0.999996, -1},
    {"'random_normal'", {200, 300}, 0.00421586, 0.996339, -3.96539, 4.20767, -1},
    {"'truncated_normal'", {200, 300}, -0.00791978, 0.876138, -1.99988, 1.99976, -1},
    {"'orthogonal'", {200, 300}, 0.000374527, 0.0577338, -0.242988, 0.238176, 1},
    {"'variance_scaling'", {200, 300}, -0.00063665, 0.0704303, -0.160765, 0.160755, -1},
    {"'uniform_unit_scaling'", {200, 300}, 0.000107289, 0.0708414, -0.122474, 0.122474, -1},
    {"'glorot_uniform'", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"'glorot_normal'", {200, 300}, -0.000569437, 0.0629948, -0.143793, 0.143784, -1},
    {"'xavier'", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"'he_normal'", {200, 300}, -0.000900359, 0.0996035, -0.227356, 0.227342, -1},
    {"'he_uniform'", {200, 300}, 0.00015173, 0.100185, -0.173204, 0.173204, -1},
    {"'lecun_normal'", {200, 300}, -0.00063665, 0.0704303, -0.160765, 0.160755, -1},
    {"'lecun_uniform'", {200, 300}, 0.000107289, 0.0708414, -0.122474, 0.122474, -1},
    {"'zeros_initializer'", {200, 300}, 0, 0, 0, 0, -1},
    {"'ones_initializer'", {200, 300}, 1, 0, 1, 1, -1},
    {"'constant_initializer'", {200, 300}, 0, 0, 0, 0, -1},
    {"'identity_initializer'", {200, 300}, 0.00333333, 0.0576387, 0, 1, -1},
    {"'random_uniform_initializer'", {200, 300}, 0.500438, 0.289209, 2.02656e-06, 0.999996, -1},
    {"'random_normal_initializer'", {200, 300}, 0.00421586, 0.996339, -3.96539, 4.20767, -1},
    {"'truncated_normal_initializer'", {200, 300}, -0.00791978, 0.876138, -1.99988, 1.99976, -1},
    {"'orthogonal_initializer'", {200, 300}, 0.000374527, 0.0577338, -0.242988, 0.238176, 1},
    {"'variance_scaling_initializer'", {200, 300}, -0.00063665, 0.0704303, -0.160765, 0.160755, -1},
    {"'uniform_unit_scaling_initializer'", {200, 300}, 0.000107289, 0.0708414, -0.122474, 0.122474, -1},
    {"'glorot_uniform_initializer'", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"'glorot_normal_initializer'", {200, 300}, -0.000569437, 0.0629948, -0.143793, 0.143784, -1},
    {"'xavier_initializer'", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"{'class': 'Zeros'}", {200, 300}, 0, 0, 0, 0, -1},
    {"{'class': 'Ones'}", {200, 300}, 1, 0, 1, 1, -1},
    {"{'class': 'Constant'}", {200, 300}, 0, 0, 0, 0, -1},
    {"{'class': 'Identity'}", {200, 300}, 0.00333333, 0.0576387, 0, 1, -1},
    {"{'class': 'RandomUniform'}", {200, 300}, 0.500438, 0.289209, 2.02656e-06, 0.999996, -1},
    {"{'class': 'RandomNormal'}", {200, 300}, 0.00421586, 0.996339, -3.96539, 4.20767, -1},
    {"{'class': 'TruncatedNormal'}", {200, 300}, -0.00791978, 0.876138, -1.99988, 1.99976, -1},
    {"{'class': 'Orthogonal'}", {200, 300}, 0.000374527, 0.0577338, -0.242988, 0.238176, 1},
    {"{'class': 'VarianceScaling'}", {200, 300}, -0.00063665, 0.0704303, -0.160765, 0.160755, -1},
    {"{'class': 'UniformUnitScaling'}", {200, 300}, 0.000107289, 0.0708414, -0.122474, 0.122474, -1},
    {"{'class': 'GlorotUniform'}", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"{'class': 'GlorotNormal'}", {200, 300}, -0.000569437, 0.0629948, -0.143793, 0.143784, -1},
    {"'Zeros'", {200, 300}, 0, 0, 0, 0, -1},
    {"'Ones'", {200, 300}, 1, 0, 1, 1, -1},
    {"'Constant'", {200, 300}, 0, 0, 0, 0, -1},
    {"'Identity'", {200, 300}, 0.00333333, 0.0576387, 0, 1, -1},
    {"'RandomUniform'", {200, 300}, 0.500438, 0.289209, 2.02656e-06, 0.999996, -1},
    {"'RandomNormal'", {200, 300}, 0.00421586, 0.996339, -3.96539, 4.20767, -1},
    {"'TruncatedNormal'", {200, 300}, -0.00791978, 0.876138, -1.99988, 1.99976, -1},
    {"'Orthogonal'", {200, 300}, 0.000374527, 0.0577338, -0.242988, 0.238176, 1},
    {"'VarianceScaling'", {200, 300}, -0.00063665, 0.0704303, -0.160765, 0.160755, -1},
    {"'UniformUnitScaling'", {200, 300}, 0.000107289, 0.0708414, -0.122474, 0.122474, -1},
    {"'GlorotUniform'", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"'GlorotNormal'", {200, 300}, -0.000569437, 0.0629948, -0.143793, 0.143784, -1},
    {"'glorot_uniform'", {60, 300}, -0.000189515, 0.0747011, -0.129099, 0.129098, -1},
    {"'he_normal'", {3, 3, 20, 50}, -0.00127115, 0.105152, -0.239327, 0.239389, -1},
    {"'variance_scaling'", {3, 3, 20, 50}, -0.000898837, 0.0743535, -0.16923, 0.169273, -1},
    {"'glorot_normal'", {5, 40, 50}, -0.000609387, 0.0664643, -0.151364, 0.151403, -1},
    {"'lecun_uniform'", {4000}, 0.00033337, 0.0158484, -0.0273739, 0.0273582, -1},
    {"'uniform_unit_scaling'", {3, 3, 20, 50}, 0.000715806, 0.0748001, -0.129053, 0.12909, -1},
    {"\"variance_scaling_initializer(scale=2.0, mode='fan_out', distribution='uniform')\"",
     {200, 300},
     0.000123887,
     0.0818006,
     -0.141421,
     0.14142,
     -1},
    {"\"variance_scaling_initializer(2.0, 'fan_avg', 'untruncated_normal')\"",
     {200, 300},
     0.000377078,
     0.0891153,
     -0.354676,
     0.376346,
     -1},
    {"\"variance_scaling_initializer(3.0, 'fan_in', 'normal')\"",
     {200, 300},
     -0.00110271,
     0.121989,
     -0.278453,
     0.278436,
     -1},
    {"'random_uniform_initializer(-0.3, 0.1)'", {200, 300}, -0.0998248, 0.115683, -0.299999, 0.0999984, -1},
    {"'random_normal_initializer(mean=1.0, stddev=0.2)'", {200, 300}, 1.00084, 0.199268, 0.206921, 1.84153, -1},
    {"'truncated_normal_initializer(0.5, 0.2)'", {200, 300}, 0.498416, 0.175228, 0.100024, 0.899952, -1},
    {"'RandomUniform(minval=-2.0, maxval=math.sqrt(2))'", {200, 300}, -0.291398, 0.98742, -1.99999, 1.4142, -1},
    {"'orthogonal_initializer(gain=1.5)'", {200, 300}, 0.00056179, 0.0866007, -0.364482, 0.357263, 2.25},
    {"'orthogonal'", {300, 200}, 0.000374527, 0.0577338, -0.242988, 0.238176, 1},
    {"'orthogonal'", {5, 40, 50}, 0.00121599, 0.0707002, -0.267819, 0.286905, 1},
    {"'identity_initializer(0.5)'", {200, 300}, 0.00166667, 0.0288194, 0, 0.5, -1},
    {"'uniform_unit_scaling_initializer(factor=1.43)'", {200, 300}, 0.000153423, 0.101303, -0.175138, 0.175137, -1},
    {"'constant_initializer(0.25)'", {200, 300}, 0.25, 0, 0.25, 0.25, -1},
    {"'numpy.log(0.5)'", {200, 300}, -0.693147, 0, -0.693147, -0.693147, -1},
    {"'sqrt(2.0)'", {200, 300}, 1.41421, 0, 1.41421, 1.41421, -1},
    {"'-0.5 * (1 + 1)'", {200, 300}, -1, 0, -1, -1, -1},
    {"{'class': 'VarianceScaling', 'scale': 0.5, 'mode': 'fan_out'}",
     {200, 300},
     -0.00036757,
     0.040663,
     -0.0928177,
     0.0928121,
     -1},
    {"{'class': 'random_normal_initializer', 'stddev': 0.3}", {200, 300}, 0.00126476, 0.298902, -1.18962, 1.2623, -1},
    {"{'class': 'glorot_uniform_initializer'}", {200, 300}, 9.59622e-05, 0.0633624, -0.109544, 0.109544, -1},
    {"{'class': 'TruncatedNormal', 'stddev': 0.3}", {200, 300}, -0.00237594, 0.262841, -0.599964, 0.599928, -1},
    {"{'class': 'RandomUniform', 'minval': -0.5, 'maxval': 0.25}",
     {200, 300},
     -0.124671,
     0.216907,
     -0.499998,
     0.249997,
     -1},
    {"{'class': 'Orthogonal', 'gain': 2.0}", {200, 300}, 0.000749053, 0.115468, -0.485977, 0.476351, 4},
    {"{'class': 'Constant', 'value': 0.75}", {200, 300}, 0.75, 0, 0.75, 0.75, -1},
    {"0.3", {200, 300}, 0.3, 0, 0.3, 0.3, -1},
    {"1", {200, 300}, 1, 0, 1, 1, -1},
    {"'xavier'", {3, 3, 20, 50}, 0.000541099, 0.0565435, -0.097555, 0.0975832, -1},
    {"'glorot_uniform(seed=3)'", {200, 300}, 0.00059128, 0.0632747, -0.109544, 0.109544, -1},
    {"'he_normal(seed=3)'", {200, 300}, 0.000205667, 0.100157, -0.227328, 0.227328, -1},
    {"'VarianceScaling(scale=2.0)'", {200, 300}, -0.000900359, 0.0996035, -0.227356, 0.227342, -1},
    {"'lecun_normal()'", {200, 300}, -0.00063665, 0.0704303, -0.160765, 0.160755, -1},
    {"'identity'", {3, 2}, 0.333333, 0.471405, 0, 1, -1},
};

class InitializerStats : public testing::TestWithParam<Case> {};

/// The largest difference of M M^T (or M^T M) from square times the unit matrix, M [rows,cols].
double orthogonality(const std::vector<float>& x, size_t rows, size_t cols, double square) {
  const bool wide = rows < cols;
  const size_t count = std::min(rows, cols);
  double worst = 0;
  for (size_t a = 0; a < count; ++a) {
    for (size_t b = 0; b <= a; ++b) {
      double dot = 0;
      for (size_t i = 0; i < std::max(rows, cols); ++i) {
        dot += wide ? static_cast<double>(x[a * cols + i]) * x[b * cols + i]
                    : static_cast<double>(x[i * cols + a]) * x[i * cols + b];
      }
      worst = std::max(worst, std::abs(dot - (a == b ? square : 0.0)));
    }
  }
  return worst;
}

TEST_P(InitializerStats, AreThoseOfReturnn) {
  const Case& test = GetParam();
  const Config config = Config::from_source(std::string("option = ") + test.option, "test.config");
  const Tensor tensor = Tensor::empty(DType::kFloat32, test.shape);
  make_initializer(*config.find("option"), "zeros", 17)(tensor, 5);
  const std::vector<float> x = tensor.to_vector<float>();
  const auto n = static_cast<double>(x.size());
  double sum = 0;
  for (const float value : x) sum += value;
  double squares = 0;
  for (const float value : x) squares += (value - sum / n) * (value - sum / n);
  // Both sides are samples of n: 5 standard errors of their difference.
  EXPECT_NEAR(sum / n, test.mean, 5 * test.deviation * std::sqrt(2 / n) + 1e-5);
  EXPECT_NEAR(std::sqrt(squares / n), test.deviation, 5 * test.deviation / std::sqrt(n) + 1e-5);
  // Bounds are sharp but for whole normal distributions.
  const double range = test.largest - test.smallest;
  const double slack = (range > 5 * test.deviation ? 0.12 : 0.01) * range + 1e-5;
  EXPECT_NEAR(*std::min_element(x.begin(), x.end()), test.smallest, slack);
  EXPECT_NEAR(*std::max_element(x.begin(), x.end()), test.largest, slack);
  if (test.square >= 0) {
    const auto cols = static_cast<size_t>(test.shape[test.shape.rank() - 1]);
    EXPECT_LT(orthogonality(x, x.size() / cols, cols, test.square), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Returnn, InitializerStats, testing::ValuesIn(kCases));

}  // namespace
}  // namespace wende
