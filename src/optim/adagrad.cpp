#include "optim/optimizer.h"

namespace wende {
namespace {

struct AdagradArgs {
  double initial_accumulator_value = 0.1;
  template <class V>
  void fields(V& v) {
    v.field("initial_accumulator_value", initial_accumulator_value, "start of the sum of squared gradients");
  }
};

/// s += g^2; w -= lr g / sqrt(s). TensorFlow 1 has no epsilon here: the sum starts above zero.
class Adagrad : public Optimizer {
 public:
  explicit Adagrad(const AdagradArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override {
    return {{"accumulator", static_cast<float>(args_.initial_accumulator_value)}};
  }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return AdagradFormula{static_cast<float>(learning_rate)};
  }

 private:
  AdagradArgs args_;
};

struct AdadeltaArgs {
  double rho = 0.95;
  double epsilon = 1e-16;
  template <class V>
  void fields(V& v) {
    v.field("rho", rho, "decay of both means of squares");
    v.field("epsilon", epsilon, "added under both roots");
  }
};

/// s = r s + (1 - r) g^2; c = g sqrt(u + eps) / sqrt(s + eps); u = r u + (1 - r) c^2; w -= lr c.
class Adadelta : public Optimizer {
 public:
  explicit Adadelta(const AdadeltaArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"accum", 0}, {"accum_update", 0}}; }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return AdadeltaFormula{static_cast<float>(learning_rate), static_cast<float>(args_.rho),
                           static_cast<float>(args_.epsilon)};
  }

 private:
  AdadeltaArgs args_;
};

const OptimizerRegistration kAdagrad("adagrad", [](const Value& options, const OptimizerDefaults&) {
  return std::make_unique<Adagrad>(read_optimizer_args("adagrad", options, AdagradArgs()));
});
const OptimizerRegistration kAdadelta("adadelta", [](const Value& options, const OptimizerDefaults& defaults) {
  AdadeltaArgs args;
  args.epsilon = defaults.epsilon;
  return std::make_unique<Adadelta>(read_optimizer_args("adadelta", options, args));
});

}  // namespace
}  // namespace wende
