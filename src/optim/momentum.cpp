#include "optim/optimizer.h"

namespace wende {
namespace {

struct MomentumArgs {
  double momentum = 0;
  bool use_nesterov = false;
  template <class V>
  void fields(V& v) {
    v.field("momentum", momentum, "share of the last direction that is kept");
    v.field("use_nesterov", use_nesterov, "look one step ahead");
  }
};

/// a = mu a + g; w -= lr a (nesterov: w -= lr (g + mu a)).
class Momentum : public Optimizer {
 public:
  explicit Momentum(const MomentumArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"momentum", 0}}; }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override { return numbers(learning_rate); }

 private:
  MomentumFormula numbers(double learning_rate) const {
    return {static_cast<float>(learning_rate), static_cast<float>(args_.momentum), args_.use_nesterov};
  }
  MomentumArgs args_;
};

const OptimizerRegistration kMomentum("momentum", [](const Value& options, const OptimizerDefaults& defaults) {
  MomentumArgs args;
  args.momentum = defaults.momentum;
  return std::make_unique<Momentum>(read_optimizer_args("momentum", options, args));
});

}  // namespace
}  // namespace wende
