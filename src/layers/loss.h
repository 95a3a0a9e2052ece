#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "config/args.h"
#include "layers/layer_builder.h"

namespace wende {

/// What a loss reads. Frames: see semantics section 11.
struct LossContext {
  Graph* graph = nullptr;
  LayerOutput output;
  LayerOutput logits;  ///< pre-softmax / pre-sigmoid, where the layer registered it ("logits"); else undefined
  std::string activation_of_logits;  ///< "softmax", "log_softmax", "sigmoid" or "" (none)
  LayerOutput target;                ///< undefined where the loss needs none
  Expr frame_mask;      ///< bool over the (batch,time) axes of output's layout; undefined without time axis
  Expr output_lengths;  ///< int32 [B]; undefined without time axis
  Expr target_lengths;
  bool train = false;
};

/// Sums over valid frames (not scaled, not normalised); error undefined if the loss has none.
struct LossValue {
  Expr value;         ///< scalar float; undefined: no value (error only)
  Expr error;         ///< scalar float
  Expr frame_values;  ///< per-frame losses in the layout of the output, where the loss has them
};

class Loss {
 public:
  virtual ~Loss() = default;
  virtual bool needs_target() const { return true; }
  /// Output feature size from the target's size (ctc adds one).
  virtual int64_t auto_output_dim(int64_t target_dim) const { return target_dim; }
  /// Throws when output and target do not fit, with both templates.
  virtual void check(const Data& output, const Data& target) const = 0;
  virtual LossValue build(const LossContext& context) const = 0;

  /// Options that every loss has.
  double scale = 1.0;
  bool use_normalized_loss = false;
  Value custom_norm_factor, custom_inv_norm_factor;
};

struct LossClass {
  std::string name;
  std::vector<std::string> aliases;
  std::string doc;
  std::function<std::unique_ptr<Loss>(const Value& options)> make;  ///< options: the loss_opts dict (maybe empty)
  std::function<std::vector<ArgsDoc::Field>()> fields;
};

class LossRegistry {
 public:
  static LossRegistry& instance();
  void add(LossClass entry);
  const LossClass* find(const std::string& name) const;
  std::vector<std::string> names() const;

 private:
  std::map<std::string, LossClass> classes_;
  std::map<std::string, std::string> aliases_;
};

}  // namespace wende
