#include "optim/optimizer.h"

namespace wende {
namespace {

struct AdamaxArgs {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-16;
  template <class V>
  void fields(V& v) {
    v.field("beta_1", beta1, "decay of the mean of gradients");
    v.field("beta_2", beta2, "decay of the largest gradient");
    v.field("beta1", beta1, "same as beta_1");
    v.field("beta2", beta2, "same as beta_2");
    v.field("epsilon", epsilon, "added to the largest gradient");
  }
};

/// Keras: v = max(b2 v, |g|); w -= lr / (1 - b1^t) m / (v + eps). t stays 1: see KerasNadam.
class Adamax : public Optimizer {
 public:
  explicit Adamax(const AdamaxArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"m", 0}, {"v", 0}}; }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return AdamaxFormula{static_cast<float>(learning_rate / (1 - args_.beta1)), static_cast<float>(args_.beta1),
                         static_cast<float>(args_.beta2), static_cast<float>(args_.epsilon)};
  }

 private:
  AdamaxArgs args_;
};

const OptimizerRegistration kAdamax("adamax", [](const Value& options, const OptimizerDefaults& defaults) {
  AdamaxArgs args;
  args.epsilon = defaults.epsilon;
  return std::make_unique<Adamax>(read_optimizer_args("adamax", options, args));
});

}  // namespace
}  // namespace wende
