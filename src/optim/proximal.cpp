#include <algorithm>
#include <cmath>

#include "optim/optimizer.h"

namespace wende {
namespace {

/// argmin_w (w - x)^2 / 2 + rate (l1 |w| + l2 w^2 / 2).
float proximal(float x, float rate, float l1, float l2) {
  const float shrunk = l1 > 0 ? std::copysign(std::max(std::fabs(x) - rate * l1, 0.0f), x) : x;
  return shrunk / (1 + rate * l2);
}

struct ProximalArgs {
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  template <class V>
  void fields(V& v) {
    v.field("l1_regularization_strength", l1_regularization_strength, "factor of the absolute weights");
    v.field("l2_regularization_strength", l2_regularization_strength, "factor of half the squared weights");
  }
};

/// w = prox(w - lr g).
class ProximalGradientDescent : public Optimizer {
 public:
  explicit ProximalGradientDescent(const ProximalArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {}; }
  void apply(const OptimizerRange& range, double learning_rate, int64_t) const override {
    const float rate = static_cast<float>(learning_rate);
    const float l1 = static_cast<float>(args_.l1_regularization_strength);
    const float l2 = static_cast<float>(args_.l2_regularization_strength);
    for (size_t i = 0; i < range.count; ++i) {
      range.values[i] = proximal(range.values[i] - rate * range.gradient[i], rate, l1, l2);
    }
  }

 private:
  ProximalArgs args_;
};

struct ProximalAdagradArgs : ProximalArgs {
  double initial_accumulator_value = 0.1;
  template <class V>
  void fields(V& v) {
    ProximalArgs::fields(v);
    v.field("initial_accumulator_value", initial_accumulator_value, "start of the sum of squared gradients");
  }
};

/// s += g^2; r = lr / sqrt(s); w = prox(w - r g) with the weight's own rate r.
class ProximalAdagrad : public Optimizer {
 public:
  explicit ProximalAdagrad(const ProximalAdagradArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override {
    return {{"accumulator", static_cast<float>(args_.initial_accumulator_value)}};
  }
  void apply(const OptimizerRange& range, double learning_rate, int64_t) const override {
    const float l1 = static_cast<float>(args_.l1_regularization_strength);
    const float l2 = static_cast<float>(args_.l2_regularization_strength);
    float* sum = range.slots[0];
    for (size_t i = 0; i < range.count; ++i) {
      const float g = range.gradient[i];
      sum[i] += g * g;
      const float rate = static_cast<float>(learning_rate) / std::sqrt(sum[i]);
      range.values[i] = proximal(range.values[i] - rate * g, rate, l1, l2);
    }
  }

 private:
  ProximalAdagradArgs args_;
};

struct NeuralOptimizerArgs {
  double beta1 = 0.9;
  double decrease_factor = 0.1;
  template <class V>
  void fields(V& v) {
    v.field("beta1", beta1, "decay of the mean of gradients");
    v.field("decrease_factor", decrease_factor, "factor of gradients whose sign is not that of the mean");
  }
};

/// m = b m + (1 - b) g; w -= lr g where g and m have one sign, else lr d g (arXiv 1709.07417).
class NeuralOptimizer : public Optimizer {
 public:
  explicit NeuralOptimizer(const NeuralOptimizerArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"m", 0}}; }
  void apply(const OptimizerRange& range, double learning_rate, int64_t) const override {
    const float rate = static_cast<float>(learning_rate);
    const float beta = static_cast<float>(args_.beta1);
    const float decrease = static_cast<float>(args_.decrease_factor);
    const auto sign = [](float x) { return (x > 0) - (x < 0); };
    float* m = range.slots[0];
    for (size_t i = 0; i < range.count; ++i) {
      const float g = range.gradient[i];
      m[i] = beta * m[i] + (1 - beta) * g;
      range.values[i] -= rate * g * (sign(m[i]) == sign(g) ? 1.0f : decrease);
    }
  }

 private:
  NeuralOptimizerArgs args_;
};

const OptimizerRegistration kProximal("proximalgradientdescent", [](const Value& options, const OptimizerDefaults&) {
  return std::make_unique<ProximalGradientDescent>(
      read_optimizer_args("proximalgradientdescent", options, ProximalArgs()));
});
const OptimizerRegistration kProximalAdagrad("proximaladagrad", [](const Value& options, const OptimizerDefaults&) {
  return std::make_unique<ProximalAdagrad>(read_optimizer_args("proximaladagrad", options, ProximalAdagradArgs()));
});
const OptimizerRegistration kNeural("neuraloptimizer1", [](const Value& options, const OptimizerDefaults&) {
  return std::make_unique<NeuralOptimizer>(read_optimizer_args("neuraloptimizer1", options, NeuralOptimizerArgs()));
});

}  // namespace
}  // namespace wende
