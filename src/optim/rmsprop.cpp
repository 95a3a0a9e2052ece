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
  std::optional<UpdateFormula> formula(double learning_rate, int64_t) const override {
    if (args_.centered) return {};
    return numbers(learning_rate);
  }
  void apply(const OptimizerRange& range, double learning_rate, int64_t) const override {
    if (!args_.centered) return apply_plain(range, numbers(learning_rate));
    const float rate = static_cast<float>(learning_rate);
    const float decay = static_cast<float>(args_.decay);
    const float mu = static_cast<float>(args_.momentum);
    const float epsilon = static_cast<float>(args_.epsilon);
    float* square = range.slots[0];
    float* change = range.slots[1];
    float* mean = range.slots[2];
    for (size_t i = 0; i < range.count; ++i) {
      const float g = range.gradient[i];
      square[i] = decay * square[i] + (1 - decay) * g * g;
      mean[i] = decay * mean[i] + (1 - decay) * g;
      const float variance = square[i] - mean[i] * mean[i];
      change[i] = mu * change[i] + rate * g / std::sqrt(variance + epsilon);
      range.values[i] -= change[i];
    }
  }

 private:
  RmsPropFormula numbers(double learning_rate) const {
    return {static_cast<float>(learning_rate), static_cast<float>(args_.decay), static_cast<float>(args_.momentum),
            static_cast<float>(args_.epsilon)};
  }
  static void apply_plain(const OptimizerRange& range, RmsPropFormula update_one) {
    float* square = range.slots[0];
    float* change = range.slots[1];
    for (size_t i = 0; i < range.count; ++i) update_one(range.values[i], range.gradient[i], square[i], change[i]);
  }

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
