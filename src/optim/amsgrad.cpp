#include <algorithm>

#include "optim/optimizer.h"

namespace wende {
namespace {

struct AmsgradArgs {
  bool decay = false;
  double beta1 = 0.9;
  double beta2 = 0.99;
  double epsilon = 1e-16;
  Value var_list;
  template <class V>
  void fields(V& v) {
    v.field("decay", decay, "divides the learning rate by the root of the number of updates");
    v.field("beta1", beta1, "decay of the mean of gradients");
    v.field("beta2", beta2, "decay of the mean of squared gradients");
    v.field("epsilon", epsilon, "added to the root of the largest mean of squares");
    v.field("var_list", var_list, "no effect: all parameters of the optimizer");
  }
};

/// m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; u = max(u, v); w -= lr m / (eps + sqrt(u)). No bias correction, as
/// RETURNN has it (arXiv 1904.09237).
class Amsgrad : public Optimizer {
 public:
  explicit Amsgrad(const AmsgradArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"amsgrad_m", 0}, {"amsgrad_v", 0}, {"amsgrad_max", 0}}; }
  void apply(const OptimizerRange& range, double learning_rate, int64_t update) const override {
    const double decayed = args_.decay ? learning_rate / std::sqrt(static_cast<double>(update)) : learning_rate;
    const float rate = static_cast<float>(decayed);
    const float beta1 = static_cast<float>(args_.beta1);
    const float beta2 = static_cast<float>(args_.beta2);
    const float epsilon = static_cast<float>(args_.epsilon);
    float* m = range.slots[0];
    float* v = range.slots[1];
    float* most = range.slots[2];
    for (size_t i = 0; i < range.count; ++i) {
      const float g = range.gradient[i];
      m[i] = beta1 * m[i] + (1 - beta1) * g;
      v[i] = beta2 * v[i] + (1 - beta2) * g * g;
      most[i] = std::max(most[i], v[i]);
      const float root = epsilon + std::sqrt(most[i]);
      range.values[i] -= root > 0 ? rate * m[i] / root : 0.0f;
    }
  }

 private:
  AmsgradArgs args_;
};

const OptimizerRegistration kAmsgrad{
    "amsgrad", [](const Value& options, const OptimizerDefaults& defaults) -> std::unique_ptr<Optimizer> {
      AmsgradArgs args;
      args.epsilon = defaults.epsilon;
      return std::make_unique<Amsgrad>(read_optimizer_args("amsgrad", options, args));
    }};

}  // namespace
}  // namespace wende
