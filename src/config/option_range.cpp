#include "config/option_range.h"

#include <fmt/core.h>

#include <cmath>
#include <limits>
#include <map>

namespace wende {
namespace {

constexpr double kMost = std::numeric_limits<double>::max();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

struct Range {
  double low, high;
  bool open_low = false, open_high = false;

  bool contains(double x) const {
    return (open_low ? x > low : x >= low) && (open_high ? x < high : x <= high);  // false for NaN
  }
  std::string text(const std::string& name) const {
    if (low == -kMost) return "finite";
    if (high == kInfinity) return fmt::format("{} {}", open_low ? ">" : ">=", low);
    return fmt::format("{} {} {} {} {}", low, open_low ? "<" : "<=", name, open_high ? "<" : "<=", high);
  }
};

constexpr Range kRate{0, 1, false, true};
constexpr Range kShare{0, 1};
constexpr Range kNotNegative{0, kInfinity};
constexpr Range kPositive{0, kInfinity, true};
constexpr Range kFinite{-kMost, kMost};

/// Only names that mean the same wherever they occur.
const std::map<std::string, Range> kRanges = {
    {"L2", kNotNegative},
    {"accum_grad_multiple_step", kNotNegative},
    {"att_dropout", kRate},
    {"attention_dropout", kRate},
    {"beta1", kRate},
    {"beta2", kRate},
    {"beta_1", kRate},
    {"beta_2", kRate},
    {"darc1", kNotNegative},
    {"dilation_rate", kPositive},
    {"dropout", kRate},
    {"epsilon", kNotNegative},
    {"filter_size", kPositive},
    {"focal_loss_factor", kNotNegative},
    {"gradient_clip", kNotNegative},
    {"gradient_clip_avg_norm", kNotNegative},
    {"gradient_clip_global_norm", kNotNegative},
    {"gradient_clip_norm", kNotNegative},
    {"gradient_noise", kNotNegative},
    {"groups", kPositive},
    {"label_smoothing", kShare},
    {"learning_rate_multiplier", kFinite},
    {"loss_scale", kFinite},
    {"momentum", kShare},
    {"newbob_learning_rate_decay", kPositive},
    {"num_heads", kPositive},
    {"param_dropout", kRate},
    {"pool_size", kPositive},
    {"rec_weight_dropout", kRate},
    {"rho", kShare},
    {"spatial_smoothing", kNotNegative},
    {"strides", kPositive},
    {"total_key_dim", kPositive},
};

}  // namespace

void check_range(const std::string& option, const Value& value) {
  if (value.is_sequence()) {
    for (const Value& item : value.items()) check_range(option, item);
    return;
  }
  const auto range = kRanges.find(option);
  if (!value.is_number() || range == kRanges.end() || range->second.contains(value.as_float())) return;
  throw value.error(fmt::format("{} must be {}, got {}", option, range->second.text(option), value.repr()));
}

}  // namespace wende
