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
  UpdateFormula formula(double learning_rate, int64_t update) const override {
    const double decayed = args_.decay ? learning_rate / std::sqrt(static_cast<double>(update)) : learning_rate;
    return AmsgradFormula{static_cast<float>(decayed), static_cast<float>(args_.beta1), static_cast<float>(args_.beta2),
                          static_cast<float>(args_.epsilon)};
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
