#include <algorithm>

#include "optim/optimizer.h"

namespace wende {
namespace {

struct PlainArgs {
  template <class V>
  void fields(V&) {}
};

/// w -= lr g
class GradientDescent : public Optimizer {
 public:
  std::vector<OptimizerSlot> slots() const override { return {}; }
  UpdateFormula formula(double learning_rate, int64_t) const override {
    return DescentFormula{static_cast<float>(learning_rate)};
  }
};

/// w -= lr g / |g|, the norm over one parameter.
class NormalizedSgd : public GradientDescent {
 public:
  bool by_norm() const override { return true; }
  double rate_by_norm(double learning_rate, double squares) const override {
    return learning_rate / std::sqrt(std::max(squares, 1e-12));
  }
};

struct KerasSgdArgs {
  double momentum = 0;
  bool nesterov = false;
  double decay = 0;
  template <class V>
  void fields(V& v) {
    v.field("momentum", momentum, "share of the last change that is added");
    v.field("nesterov", nesterov, "look one step ahead");
    v.field("decay", decay, "of Keras's own count of steps, which RETURNN leaves at 0: no effect");
  }
};

/// Keras: m = mu m - lr g; w += m (nesterov: w += mu m - lr g). The learning rate is inside m.
class KerasSgd : public Optimizer {
 public:
  explicit KerasSgd(const KerasSgdArgs& args) : args_(args) {}
  std::vector<OptimizerSlot> slots() const override { return {{"momentum", 0}}; }
  bool updates_touched_rows_only() const override { return true; }
  UpdateFormula formula(double learning_rate, int64_t) const override { return numbers(learning_rate); }

 private:
  KerasMomentumFormula numbers(double learning_rate) const {
    return {static_cast<float>(learning_rate), static_cast<float>(args_.momentum), args_.nesterov};
  }
  KerasSgdArgs args_;
};

OptimizerFactory plain(const char* name) {
  return [name](const Value& options, const OptimizerDefaults&) {
    read_optimizer_args(name, options, PlainArgs());
    return std::make_unique<GradientDescent>();
  };
}

const OptimizerRegistration kGradientDescent("gradientdescent", plain("gradientdescent"));
const OptimizerRegistration kCustomGradientDescent("customgradientdescent", plain("customgradientdescent"));
const OptimizerRegistration kNormalizedSgd("normalizedsgd", [](const Value& options, const OptimizerDefaults&) {
  read_optimizer_args("normalizedsgd", options, PlainArgs());
  return std::make_unique<NormalizedSgd>();
});
const OptimizerRegistration kSgd("sgd", [](const Value& options, const OptimizerDefaults& defaults) {
  KerasSgdArgs args;
  args.momentum = defaults.momentum;
  args = read_optimizer_args("sgd", options, args);
  if (args.momentum == 0) return std::unique_ptr<Optimizer>(std::make_unique<GradientDescent>());
  return std::unique_ptr<Optimizer>(std::make_unique<KerasSgd>(args));
});

}  // namespace
}  // namespace wende
