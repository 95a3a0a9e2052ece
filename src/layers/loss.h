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
  LayerOutput before_activation;     ///< what the activation was applied to; undefined without one
  LayerOutput activated;             ///< what it gave: the output before the option batch_norm
  LayerOutput target;                ///< undefined where the loss needs none
  Expr frame_mask;      ///< bool over the (batch,time) axes of output's layout; undefined without time axis
  Expr output_lengths;  ///< int32 [B]; undefined without time axis
  Expr target_lengths;
  bool train = false;
  bool silenced = false;  ///< only_on_eval in training: value and gradient are multiplied by 0
  int behavior_version = 0;
  bool ctc_zero_infinity = false;  ///< default of RETURNN's own CTC for sequences without a path
  uint32_t random_key = 0;         ///< of the layer
  Dim batch;
  const Beam* beam =
      nullptr;              ///< the search whose hypotheses the output holds; the target is repeated for each of them
  LayerOutput layer_input;  ///< the layer's joined input; only if the loss asks for it
  std::map<std::string, Expr> params;         ///< variables of the layer by local name, as stored
  std::map<std::string, LayerOutput> refs;    ///< layers that Loss::refs() named
  std::map<std::string, Expr> output_losses;  ///< their "output_loss", where they have one
};

/// Sums over valid frames (not scaled, not normalised); error undefined if the loss has none.
struct LossValue {
  Expr value;  ///< scalar float; undefined: no value (error only)
  Expr error;  ///< scalar float
};

class Loss {
 public:
  virtual ~Loss() = default;
  virtual bool needs_target() const { return true; }
  /// Whether LossContext::layer_input is read.
  virtual bool needs_layer_input() const { return false; }
  /// Compares sequences: the target has lengths of its own.
  virtual bool compares_sequences() const { return false; }
  /// The order of frames matters: whole sequences are fed, not frames.
  virtual bool recurrent() const { return compares_sequences(); }
  /// Layers named in the options.
  virtual std::vector<std::string> refs() const { return {}; }
  /// Number that divides the reported sums; undefined: frames of the target, else of the output, else sequences.
  virtual Expr inverse_norm(const LossContext&) const { return {}; }
  /// Output feature size from the target's size (ctc adds one).
  virtual int64_t auto_output_dim(int64_t target_dim) const { return target_dim; }
  /// Throws when output and target do not fit, with both templates.
  virtual void check(const Data& output, const Data& target) const = 0;
  virtual LossValue build(const LossContext& context) const = 0;
  /// Value and error of each sequence, float [B], for expected_loss; undefined where the loss knows only their sum.
  virtual LossValue by_sequence(const LossContext&) const { return {}; }

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
