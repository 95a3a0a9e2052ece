#pragma once

#include <cmath>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/args.h"
#include "config/value.h"
#include "optim/update_formula.h"

namespace wende {

/// A number per weight that an optimiser keeps between steps.
struct OptimizerSlot {
  std::string name;  ///< "adam_m": state name "<param>/adam_m"
  float start = 0;
};

/// One parameter in an update; all pointers have `count` floats.
struct OptimizerRange {
  float* values;
  const float* gradient;
  std::vector<float*> slots;
  size_t count;
};

/// A formula of an update; the state is the caller's. Formulas and defaults as in TensorFlow 1 and old Keras.
class Optimizer {
 public:
  virtual ~Optimizer() = default;
  virtual std::vector<OptimizerSlot> slots() const = 0;
  /// What happens to one weight, on the CPU and on GPUs. update: 1 for the first update.
  virtual UpdateFormula formula(double learning_rate, int64_t update) const = 0;
  /// Has each parameter a learning rate of its own, by the sum of squares of its gradient?
  virtual bool by_norm() const { return false; }
  virtual double rate_by_norm(double learning_rate, double) const { return learning_rate; }
  /// Of a gradient that RETURNN keeps as rows (engine/row_gradients.h): are weights of rows without a frame left as
  /// they are? TensorFlow's sparse updates differ there, optimiser by optimiser.
  virtual bool updates_touched_rows_only() const { return false; }
  /// What such a weight's numbers see all the same.
  virtual std::optional<UpdateFormula> untouched_formula() const { return std::nullopt; }
  void apply(const OptimizerRange& range, double learning_rate, int64_t update) const;  ///< on the CPU
  void apply_untouched(const OptimizerRange& range) const;                              ///< the same
};

/// Config-level options that are defaults of classes that have such an option.
struct OptimizerDefaults {
  double epsilon = 1e-16;
  double momentum = 0;
};

using OptimizerFactory =
    std::function<std::unique_ptr<Optimizer>(const Value& options, const OptimizerDefaults& defaults)>;

/// A static object of this type in the file of a family adds a class.
struct OptimizerRegistration {
  OptimizerRegistration(const char* name, OptimizerFactory factory);
};

/// Lower case, without "optimizer" at the end.
std::string optimizer_key(const std::string& class_name);
/// options: without "class" and "learning_rate_multiplier". place: what the user wrote, for errors.
std::unique_ptr<Optimizer> make_optimizer(const std::string& class_name, const Value& place, const Value& options,
                                          const OptimizerDefaults& defaults);

/// Fills `args` from the options; unknown ones throw with the closest name.
template <class Args>
Args read_optimizer_args(const char* name, const Value& options, Args args) {
  ArgsReader reader(options);
  args.fields(reader);
  bool use_locking = false;
  std::string op_name;
  reader.field("use_locking", use_locking, "no effect");
  reader.field("name", op_name, "no effect");
  reader.finish(std::string("optimizer class '") + name + "'");
  return args;
}

}  // namespace wende
