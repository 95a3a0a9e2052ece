#include "optim/optimizer.h"

namespace wende {
namespace {

struct RmsPropArgs {
  double decay = 0.9;
  double momentum = 0;
  double epsilon = 1e-16;
  bool centered = false;
  template <class V>
  void fields(V& v) {
    v.field("decay", decay, "decay of the mean of squared gradients");
    v.field("momentum", momentum, "share of the last change that is added");
    v.field("epsilon", epsilon, "added under the root");
    v.field("centered", centered, "divide by the variance instead of the mean square");
  }
};

/// s = d s + (1 - d) g^2, from 1; a = mu a + lr g / sqrt(s + eps); w -= a. centered: s minus the squared mean gradient.
class RmsProp : public Optimizer {
 public:
  explicit RmsProp(const RmsPropArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override {
    std::vector<OptimizerSlot> slots{{"rms", 1}, {"momentum", 0}};
    if (args_.centered) slots.push_back({"mean", 0});
    return slots;
  }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    const auto rate = static_cast<float>(learning_rate);
    const auto decay = static_cast<float>(args_.decay);
    const auto momentum = static_cast<float>(args_.momentum);
    const auto epsilon = static_cast<float>(args_.epsilon);
    if (args_.centered) return CenteredRmsPropFormula{rate, decay, momentum, epsilon};
    return RmsPropFormula{rate, decay, momentum, epsilon};
  }

 private:
  RmsPropArgs args_;
};

const OptimizerRegistration kRmsProp("rmsprop", [](const Value& options, const OptimizerDefaults& defaults) {
  RmsPropArgs args;
  args.epsilon = defaults.epsilon;
  args.momentum = defaults.momentum;
  return std::make_unique<RmsProp>(read_optimizer_args("rmsprop", options, args));
});

}  // namespace
}  // namespace wende
