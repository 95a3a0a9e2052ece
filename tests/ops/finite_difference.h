#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "device/choose_device.h"
#include "graph/executor.h"
#include "graph/gradients.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende::test {

/// The tests of ops run on each device that a build has: WENDE_TEST_DEVICE=gpu.
inline Device test_device() {
  static const char* const kName = std::getenv("WENDE_TEST_DEVICE");
  static const Device kDevice = kName == nullptr ? Device::cpu() : choose_device(kName);
  return kDevice;
}

/// Values of expressions of one graph for named leaves, as independent copies.
inline std::vector<Tensor> evaluate(const std::vector<Expr>& exprs, const std::map<std::string, Tensor>& leaves = {},
                                    const Binding& binding = {}, const RunOptions& options = {}) {
  std::vector<Fetch> fetches;
  for (const Expr& expr : exprs) fetches.push_back({expr, {}});
  Executor executor(*exprs.at(0).graph, fetches, test_device());
  const auto used = executor.leaf_names();
  for (const auto& [name, tensor] : leaves) {
    if (std::find(used.begin(), used.end(), name) != used.end()) executor.bind(name, tensor);
  }
  std::vector<Tensor> results;
  for (const Tensor& tensor : executor.run(binding, options)) results.push_back(tensor.clone());
  return results;
}

inline Tensor evaluate(const Expr& expr, const std::map<std::string, Tensor>& leaves = {},
                       const Binding& binding = {}) {
  return evaluate(std::vector<Expr>{expr}, leaves, binding)[0];
}

inline Tensor random_tensor(Shape shape, uint32_t seed, double low = -1.0, double high = 1.0) {
  std::mt19937 generator(seed);
  std::uniform_real_distribution<float> uniform(static_cast<float>(low), static_cast<float>(high));
  Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = uniform(generator);
  return tensor;
}

inline std::vector<Dim> fixed_dims(const Shape& shape) {
  std::vector<Dim> dims;
  for (int axis = 0; axis < shape.rank(); ++axis) dims.push_back(Dim::fixed(shape[axis]));
  return dims;
}

struct FiniteDifferenceOptions {
  double epsilon = 1e-2;    ///< step of the central difference
  double tolerance = 1e-2;  ///< |analytic - numeric| <= tolerance * max(1, |numeric|)
  double low = -1.0;        ///< range of the random arguments
  double high = 1.0;
  uint32_t seed = 1;
  int most_elements = 40;                           ///< per argument
  Binding binding = {};                             ///< sizes of dynamic dims
  std::map<std::string, Tensor> other_leaves = {};  ///< leaves that the function makes itself
};

/// Builds y = f(parameters) of any float shape.
using ExprFunction = std::function<Expr(Graph&, const std::vector<Expr>&)>;

/// (f(x + epsilon) - f(x - epsilon)) / what the element really moved by.
template <class Function>
double central_difference(float& element, double epsilon, const Function& f) {
  const float saved = element;
  element = saved + static_cast<float>(epsilon);
  const double above = element;
  const double high = f();
  element = saved - static_cast<float>(epsilon);
  const double below = element;
  const double low = f();
  element = saved;
  return (high - low) / (above - below);
}

/// Checks the gradients of sum(w * f(x)), w random, against central differences for every argument.
inline void expect_gradients_of_dims(const std::vector<std::vector<Dim>>& arguments, const ExprFunction& f,
                                     const FiniteDifferenceOptions& options = {}) {
  Graph graph;
  std::vector<Expr> parameters;
  std::map<std::string, Tensor> leaves = options.other_leaves;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string name = "x" + std::to_string(i);
    parameters.push_back(ops::parameter(graph, name, DType::kFloat32, arguments[i]));
    leaves[name] = random_tensor(options.binding.shape(arguments[i]), options.seed + static_cast<uint32_t>(i),
                                 options.low, options.high);
  }
  const Expr y = f(graph, parameters);
  ASSERT_TRUE(y.defined());
  const Expr weight = ops::input(graph, "w", DType::kFloat32, y.dims());
  leaves["w"] = random_tensor(options.binding.shape(y.dims()), options.seed + 100, 0.3, 1.0);
  const std::vector<double> w = [&] {
    const auto values = leaves["w"].to_vector<float>();
    return std::vector<double>(values.begin(), values.end());
  }();
  std::vector<int> axes(static_cast<size_t>(y.rank()));
  for (int axis = 0; axis < y.rank(); ++axis) axes[static_cast<size_t>(axis)] = axis;
  const Expr product = ops::mul(y, weight);
  const Expr loss = axes.empty() ? product : ops::reduce(Reduction::kSum, product, axes);
  const std::vector<Expr> grads = gradients(loss, parameters);
  ASSERT_EQ(grads.size(), parameters.size());

  Executor forward(graph, {{y, {}}});
  const auto used = forward.leaf_names();
  for (const auto& [name, tensor] : leaves) {
    if (std::find(used.begin(), used.end(), name) != used.end()) forward.bind(name, tensor);
  }
  auto weighted_sum = [&] {
    const auto values = forward.run(options.binding)[0].to_vector<float>();
    double sum = 0;
    for (size_t i = 0; i < values.size(); ++i) sum += w[i] * values[i];
    return sum;
  };
  for (size_t i = 0; i < parameters.size(); ++i) {
    SCOPED_TRACE("argument " + std::to_string(i) + " " + parameters[i].type().str());
    Tensor x = leaves["x" + std::to_string(i)];
    std::vector<float> analytic(static_cast<size_t>(x.elements()), 0.0f);
    if (grads[i].defined()) {
      const Tensor grad = evaluate(grads[i], leaves, options.binding);
      ASSERT_EQ(grad.shape(), x.shape()) << grad.shape().str() << " for " << x.shape().str();
      analytic = grad.to_vector<float>();
    }
    const int64_t stride = std::max<int64_t>(1, x.elements() / options.most_elements);
    for (int64_t k = 0; k < x.elements(); k += stride) {
      const double numeric = central_difference(x.data<float>()[k], options.epsilon, weighted_sum);
      EXPECT_NEAR(analytic[static_cast<size_t>(k)], numeric, options.tolerance * std::max(1.0, std::abs(numeric)))
          << "element " << k;
    }
  }
}

/// The same with static shapes.
inline void expect_gradients(const std::vector<Shape>& shapes, const ExprFunction& f,
                             const FiniteDifferenceOptions& options = {}) {
  std::vector<std::vector<Dim>> arguments;
  for (const Shape& shape : shapes) arguments.push_back(fixed_dims(shape));
  expect_gradients_of_dims(arguments, f, options);
}

}  // namespace wende::test
