#include "base/error.h"
#include "optim/optimizer.h"

namespace wende {
namespace {

struct FtrlArgs {
  double initial_accumulator_value = 0.1;
  double l1_regularization_strength = 0;
  double l2_regularization_strength = 0;
  double l2_shrinkage_regularization_strength = 0;
  double learning_rate_power = -0.5;
  double beta = 0;
  template <class V>
  void fields(V& v) {
    v.field("initial_accumulator_value", initial_accumulator_value, "start of the sum of squared gradients");
    v.field("l1_regularization_strength", l1_regularization_strength, "weights below it become zero");
    v.field("l2_regularization_strength", l2_regularization_strength, "pulls weights to zero");
    v.field("l2_shrinkage_regularization_strength", l2_shrinkage_regularization_strength,
            "adds 2 w times this to the gradient, but not to the sum of squares");
    v.field("learning_rate_power", learning_rate_power, "of the sum of squares; at most 0");
    v.field("beta", beta, "adds beta / (2 lr) to l2_regularization_strength");
  }
};

/// n = s + g^2; z += g + 2 shrinkage w - (n^-p - s^-p) / lr w; w = (sign(z) l1 - z) / (n^-p / lr + 2 l2) if |z| > l1
/// else 0, with p the learning_rate_power (-0.5: square roots).
class Ftrl : public Optimizer {
 public:
  explicit Ftrl(const FtrlArgs& args) : args_(args) {
    if (args_.learning_rate_power > 0) {
      throw Error(ExitStatus::kConfig, "ftrl: learning_rate_power must be at most 0");
    }
  }
  std::vector<OptimizerSlot> slots() const override {
    return {{"accum", static_cast<float>(args_.initial_accumulator_value)}, {"linear", 0}};
  }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    const double l2 = args_.l2_regularization_strength + args_.beta / (2 * learning_rate);
    return FtrlFormula{.inverse = static_cast<float>(1 / learning_rate),
                       .l1 = static_cast<float>(args_.l1_regularization_strength),
                       .l2 = static_cast<float>(l2),
                       .shrinkage = static_cast<float>(2 * args_.l2_shrinkage_regularization_strength),
                       .exponent = static_cast<float>(-args_.learning_rate_power)};
  }

 private:
  FtrlArgs args_;
};

const OptimizerRegistration kFtrl("ftrl", [](const Value& options, const OptimizerDefaults&) {
  return std::make_unique<Ftrl>(read_optimizer_args("ftrl", options, FtrlArgs()));
});

}  // namespace
}  // namespace wende
