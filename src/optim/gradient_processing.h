#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "config/config.h"
#include "config/value.h"

namespace wende {

/// What happens to one parameter's gradient before the optimiser; 0 = off.
struct GradientOptions {
  int64_t accum_grad_multiple_step = 0;
  double gradient_noise = 0;
  double gradient_clip = 0;
  double gradient_clip_norm = 0;
  double gradient_clip_avg_norm = 0;
  double gradient_clip_global_norm = 0;
  double grad_norm_to_clip_to_zero = 0;
  bool gradient_nan_inf_filter = false;
  bool accum_grad_restarts = true;
  std::string global_norm_tag;
  std::string gradient_clip_global_norm_tag;
  std::vector<std::string> tags;

  static GradientOptions from_config(const Config& config);
  /// `this` with the entries of a layer's updater_opts; "optimizer" is the caller's. Unknown entries throw.
  GradientOptions with_layer_options(const Value& updater_opts) const;
  /// Nothing but gradient_clip_global_norm over all parameters: one factor for all.
  bool clips_global_norm_only() const;
  /// Accumulated gradients update in the last step of each window.
  bool updates_in(int64_t step) const {
    return accum_grad_multiple_step < 1 || step % accum_grad_multiple_step == accum_grad_multiple_step - 1;
  }
  /// The sum begins anew after an update. TensorFlow 2.15's rewriting of graphs loses that for some parameters of some
  /// nets (all of the golden case o30_accum3), whose sums go on: `wende replay` repeats it.
  bool starts_sum(int64_t step) const { return accum_grad_restarts ? step % accum_grad_multiple_step == 0 : step == 0; }
  /// A gradient that RETURNN has as rows (engine/row_gradients.h) is still that when it is clipped, and in the
  /// optimiser.
  bool keeps_rows() const { return accum_grad_multiple_step < 1 && gradient_noise <= 0; }
  bool updates_rows() const { return keeps_rows() && gradient_clip_avg_norm <= 0 && grad_norm_to_clip_to_zero <= 0; }
  bool clips_norm_of_rows() const { return keeps_rows() && gradient_clip_norm > 0; }
  bool needs_global_norm() const { return gradient_clip_global_norm > 0 || grad_norm_to_clip_to_zero > 0; }
};

double sum_of_squares(const float* values, size_t count);
/// Factor that brings `norm` down to `most`; nan for a norm that is not finite, as in TensorFlow.
double clip_factor(double norm, double most);

/// Noise, clipping and filters, in RETURNN's order, in place. Norms: of the raw gradients of all parameters (of the
/// tag).
struct ProcessingContext {
  double clip_norm = 0;     ///< for gradient_clip_global_norm
  double zero_norm = 0;     ///< for grad_norm_to_clip_to_zero
  double own_squares = -1;  ///< for gradient_clip_norm, if not of the gradient as it is
  uint64_t noise_seed = 0;
  int64_t step = 0;
  uint32_t param = 0;  ///< index, so that each parameter has its own noise
};
void process_gradient(float* gradient, size_t count, const GradientOptions& options, const ProcessingContext& context);

}  // namespace wende
