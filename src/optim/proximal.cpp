#include "optim/optimizer.h"

namespace wende {
namespace {

struct ProximalArgs {
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  template <class V>
  void fields(V& v) {
    v.field("l1_regularization_strength", l1_regularization_strength, "factor of the absolute weights");
    v.field("l2_regularization_strength", l2_regularization_strength, "factor of half the squared weights");
  }
  Proximal proximal() const {
    return {static_cast<float>(l1_regularization_strength), static_cast<float>(l2_regularization_strength)};
  }
};

/// w = prox(w - lr g).
class ProximalGradientDescent : public Optimizer {
 public:
  explicit ProximalGradientDescent(const ProximalArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {}; }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return ProximalFormula{static_cast<float>(learning_rate), args_.proximal()};
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
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return ProximalAdagradFormula{static_cast<float>(learning_rate), args_.proximal()};
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
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return NeuralFormula{static_cast<float>(learning_rate), static_cast<float>(args_.beta1),
                         static_cast<float>(args_.decrease_factor)};
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
