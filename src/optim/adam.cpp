#include "optim/optimizer.h"

namespace wende {
namespace {

struct AdamArgs {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-16;
  double weight_decay = 0.004;
  bool decays = false;    ///< adamw
  bool nesterov = false;  ///< nadam
  template <class V>
  void fields(V& v) {
    v.field("beta1", beta1, "decay of the mean of gradients");
    v.field("beta2", beta2, "decay of the mean of squared gradients");
    v.field("beta_1", beta1, "Keras name of beta1");
    v.field("beta_2", beta2, "Keras name of beta2");
    v.field("epsilon", epsilon, "added to the root of the mean square");
    if (decays)
      v.field("weight_decay", weight_decay, "share of a weight that is lost per step, times the learning rate");
  }
};

/// lr_t = lr sqrt(1 - b2^t) / (1 - b1^t); w -= lr_t m / (sqrt(v) + eps). nesterov: b1 m + (1 - b1) g instead of m.
/// Weight decay first: w -= lr wd w.
class Adam : public Optimizer {
 public:
  explicit Adam(const AdamArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"adam_m", 0}, {"adam_v", 0}}; }
  UpdateFormula formula(double learning_rate, int64_t update) const override { return numbers(learning_rate, update); }
  bool updates_touched_rows_only() const override { return args_.nesterov; }
  std::optional<UpdateFormula> untouched_formula() const override {
    return MomentsFadeFormula{static_cast<float>(args_.beta1), static_cast<float>(args_.beta2)};
  }

 private:
  AdamFormula numbers(double learning_rate, int64_t update) const {
    const double t = static_cast<double>(update);
    const double rate = learning_rate * std::sqrt(1 - std::pow(args_.beta2, t)) / (1 - std::pow(args_.beta1, t));
    return {.beta1 = static_cast<float>(args_.beta1),
            .beta2 = static_cast<float>(args_.beta2),
            .epsilon = static_cast<float>(args_.epsilon),
            .rate = static_cast<float>(rate),
            .keep = args_.decays ? static_cast<float>(1 - learning_rate * args_.weight_decay) : 1.0f,
            .nesterov = args_.nesterov};
  }

  AdamArgs args_;
};

/// Keras Nadam and its momentum schedule u_t = b1 (1 - 0.96^(0.004 t) / 2). RETURNN never advances the iteration
/// counter of Keras optimisers, so all bias corrections stay those of the first step; only the product of the schedule
/// goes on.
class KerasNadam : public Optimizer {
 public:
  explicit KerasNadam(const AdamArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"m", 0}, {"v", 0}}; }
  UpdateFormula formula(double learning_rate, int64_t update) const override { return numbers(learning_rate, update); }
  bool updates_touched_rows_only() const override { return true; }
  std::optional<UpdateFormula> untouched_formula() const override {
    return MomentsFadeFormula{static_cast<float>(args_.beta1), static_cast<float>(args_.beta2)};
  }

 private:
  KerasNadamFormula numbers(double learning_rate, int64_t update) const {
    const double u1 = scheduled(1);
    const double u2 = scheduled(2);
    const double product = std::pow(u1, static_cast<double>(update));
    return {.beta1 = static_cast<float>(args_.beta1),
            .beta2 = static_cast<float>(args_.beta2),
            .of_gradient = static_cast<float>((1 - u1) / (1 - product)),
            .of_mean = static_cast<float>(u2 / (1 - product * u2)),
            .of_square = static_cast<float>(1 / (1 - args_.beta2)),
            .rate = static_cast<float>(learning_rate),
            .epsilon = static_cast<float>(args_.epsilon)};
  }
  double scheduled(double t) const { return args_.beta1 * (1 - 0.5 * std::pow(0.96, 0.004 * t)); }
  AdamArgs args_;
};

AdamArgs adam_args(const char* name, const Value& options, const OptimizerDefaults& defaults, bool decays,
                   bool nesterov) {
  AdamArgs args;
  args.epsilon = defaults.epsilon;
  args.decays = decays;
  args.nesterov = nesterov;
  return read_optimizer_args(name, options, args);
}

OptimizerFactory adam(const char* name, bool decays, bool nesterov) {
  return [=](const Value& options, const OptimizerDefaults& defaults) {
    return std::make_unique<Adam>(adam_args(name, options, defaults, decays, nesterov));
  };
}

const OptimizerRegistration kAdam("adam", adam("adam", false, false));
const OptimizerRegistration kCustomAdam("customadam", adam("customadam", false, false));
const OptimizerRegistration kAdamW("adamw", adam("adamw", true, false));
const OptimizerRegistration kNadam("nadam", adam("nadam", false, true));
const OptimizerRegistration kNadamKeras("nadamkeras", [](const Value& options, const OptimizerDefaults& defaults) {
  return std::make_unique<KerasNadam>(adam_args("nadamkeras", options, defaults, false, false));
});

}  // namespace
}  // namespace wende
