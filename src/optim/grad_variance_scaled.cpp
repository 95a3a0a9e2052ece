#include "optim/optimizer.h"

namespace wende {
namespace {

struct VarianceArgs {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-16;
  template <class V>
  void fields(V& v) {
    v.field("beta1", beta1, "decay of the mean of gradients");
    v.field("beta2", beta2, "decay of the mean variance");
    v.field("epsilon", epsilon, "added to the variance of the step");
  }
};

/// d = (g - m)^2 with the new mean m; v = b2 v + (1 - b2) d; w -= lr g min(v / (d + eps), 1).
class GradVarianceScaled : public Optimizer {
 public:
  explicit GradVarianceScaled(const VarianceArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"m", 0}, {"v", 0}}; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return GradVarianceScaledFormula{static_cast<float>(learning_rate), static_cast<float>(args_.beta1),
                                     static_cast<float>(args_.beta2), static_cast<float>(args_.epsilon)};
  }

 private:
  VarianceArgs args_;
};

const OptimizerRegistration kGradVarianceScaled("gradvariancescaled", [](const Value& options,
                                                                         const OptimizerDefaults& defaults) {
  VarianceArgs args;
  args.epsilon = defaults.epsilon;
  return std::make_unique<GradVarianceScaled>(read_optimizer_args("gradvariancescaled", options, args));
});

}  // namespace
}  // namespace wende
