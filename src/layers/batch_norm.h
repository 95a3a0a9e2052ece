#pragma once

#include <string>

#include "layers/layer_builder.h"

namespace wende {

/// Options of the class batch_norm, and of the dict that any layer's option "batch_norm" may be. None: the default of
/// the behavior_version (semantics section 7).
struct BatchNormArgs {
  Value use_shift, use_std, use_sample, force_sample, momentum, epsilon, update_sample_only_in_training,
      delay_sample_update, param_version, gamma_init, beta_init, masked_time;

  template <class V>
  void fields(V& v) {
    v.field("use_shift", use_shift, "adds beta (True)");
    v.field("use_std", use_std, "multiplies with gamma (True)");
    v.field("use_sample", use_sample, "share of the running statistics in training (0)");
    v.field("force_sample", force_sample, "use_sample counts outside training as well (False)");
    v.field("momentum", momentum, "share of the batch in the running statistics (0.99; 0.1 from version 12 on)");
    v.field("epsilon", epsilon, "added to the variance (0.001)");
    v.field("update_sample_only_in_training", update_sample_only_in_training,
            "evaluation leaves the running statistics alone (False; True from version 12 on)");
    v.field("delay_sample_update", delay_sample_update,
            "the step's own output sees the running statistics from before it (False; True from version 12 on)");
    v.field("param_version", param_version, "names and shapes of the parameters: 0, 1, 2 (0; 2 from version 12 on)");
    v.field("gamma_init", gamma_init, "initialiser of gamma (1)");
    v.field("beta_init", beta_init, "initialiser of beta (0)");
    v.field("masked_time", masked_time, "statistics of valid frames only (True; to be given from version 12 on)");
  }
};

/// The options in a layer's "batch_norm": True or a dict. Throws with all mistakes of the dict.
BatchNormArgs batch_norm_args(const Value& option);

/// (x - mean) / sqrt(variance + epsilon) * gamma + beta over all axes but the feature's, for layer `layer`.
/// Running statistics are parameters that the step assigns.
Expr batch_norm(LayerBuilder& builder, const LayerOutput& x, const BatchNormArgs& args, const std::string& layer);

}  // namespace wende
