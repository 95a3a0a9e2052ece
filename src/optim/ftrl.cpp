#include "optim/optimizer.h"

namespace wende {
namespace {

struct FtrlArgs {
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  template <class V>
  void fields(V& v) {
    v.field("initial_accumulator_value", initial_accumulator_value, "start of the sum of squared gradients");
    v.field("l1_regularization_strength", l1_regularization_strength, "weights below it become zero");
    v.field("l2_regularization_strength", l2_regularization_strength, "pulls weights to zero");
  }
};

/// n = s + g^2; z += g - (sqrt(n) - sqrt(s)) / lr w; w = (sign(z) l1 - z) / (sqrt(n) / lr + 2 l2) if |z| > l1 else 0.
class Ftrl : public Optimizer {
 public:
  explicit Ftrl(const FtrlArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override {
    return {{"accum", static_cast<float>(args_.initial_accumulator_value)}, {"linear", 0}};
  }
  void apply(const OptimizerRange& range, double learning_rate, int64_t) const override {
    const float inverse = static_cast<float>(1 / learning_rate);
    const float l1 = static_cast<float>(args_.l1_regularization_strength);
    const float l2 = static_cast<float>(args_.l2_regularization_strength);
    float* sum = range.slots[0];
    float* linear = range.slots[1];
    for (size_t i = 0; i < range.count; ++i) {
      const float g = range.gradient[i];
      const float next = sum[i] + g * g;
      linear[i] += g - (std::sqrt(next) - std::sqrt(sum[i])) * inverse * range.values[i];
      sum[i] = next;
      const float z = linear[i];
      range.values[i] = std::fabs(z) > l1 ? (std::copysign(l1, z) - z) / (std::sqrt(next) * inverse + 2 * l2) : 0.0f;
    }
  }

 private:
  FtrlArgs args_;
};

const OptimizerRegistration kFtrl("ftrl", [](const Value& options, const OptimizerDefaults&) {
  return std::make_unique<Ftrl>(read_optimizer_args("ftrl", options, FtrlArgs()));
});

}  // namespace
}  // namespace wende
