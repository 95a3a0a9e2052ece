#pragma once

#include "layers/layer_builder.h"

namespace wende {

/// -log(-log(u)) of uniform numbers, of the shape of scores [R,V]: where scores + these are largest is a draw with the
/// probabilities exp(scores).
Expr gumbel_noise(Expr scores, uint32_t key);

/// The option scheduled_sampling of a choice: outside of search, its labels are drawn from its scores.
class LabelSampling {
 public:
  /// False, True or {"gold_mixin_prob": p}; else kConfig.
  explicit LabelSampling(const Value& option);

  bool on() const { return on_; }
  /// labels: template of what draw() gives.
  Data out_data(const LayerContext& context, const Data& labels) const;
  /// regression: the source itself, otherwise a label per row; of the target with probability gold_mixin_prob.
  Expr draw(LayerBuilder& builder, const Value& input_type, bool regression) const;

 private:
  Value option_;
  bool on_ = false;
  double gold_share_ = 0.0;
};

}  // namespace wende
