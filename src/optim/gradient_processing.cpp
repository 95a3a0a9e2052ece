#include "optim/gradient_processing.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "config/args.h"
#include "config/option_range.h"
#include "device/philox.h"

namespace wende {
namespace {

void scale(float* values, size_t count, double factor) {
  const float f = static_cast<float>(factor);
  for (size_t i = 0; i < count; ++i) values[i] *= f;
}

/// Normal numbers, drawn again where they are beyond two deviations.
void add_truncated_normal(float* values, size_t count, double deviation, const ProcessingContext& context) {
  const Philox random = Philox::keyed(context.noise_seed, static_cast<uint64_t>(context.step), context.param);
  for (size_t i = 0; i < count; ++i) {
    float noise = random.normal(i);
    for (uint64_t round = 1; std::fabs(noise) > 2 && round < 64; ++round) noise = random.normal(i + (round << 40));
    values[i] += static_cast<float>(deviation) * noise;
  }
}

template <class V>
void visit(V& v, GradientOptions& o) {
  v.field("accum_grad_multiple_step", o.accum_grad_multiple_step, "steps whose gradients are summed for one update");
  v.field("gradient_noise", o.gradient_noise, "deviation of the noise added to gradients");
  v.field("gradient_clip", o.gradient_clip, "largest absolute value of a gradient");
  v.field("gradient_clip_norm", o.gradient_clip_norm, "largest norm of one parameter's gradient");
  v.field("gradient_clip_avg_norm", o.gradient_clip_avg_norm, "largest norm divided by the number of weights");
  v.field("gradient_clip_global_norm", o.gradient_clip_global_norm, "largest norm of all gradients together");
  v.field("grad_norm_to_clip_to_zero", o.grad_norm_to_clip_to_zero,
          "norm of all gradients above which they become zero");
  v.field("gradient_nan_inf_filter", o.gradient_nan_inf_filter, "zero instead of nan and inf");
}

/// Reads from the config what visit() names; other globals are not its concern.
struct ConfigFields {
  const Config& config;
  ErrorCollector errors;
  template <class T>
  void field(const char* name, T& target, const char*) {
    const Value* value = config.find(name);
    if (value == nullptr || value->is_none()) return;
    errors.run([&] {
      read_value(*value, target);
      check_range(name, *value);
    });
  }
};

}  // namespace

GradientOptions GradientOptions::from_config(const Config& config) {
  GradientOptions options;
  ConfigFields fields{config, {}};
  visit(fields, options);
  fields.field("global_norm_tag", options.global_norm_tag, "");
  options.gradient_clip_global_norm_tag = options.global_norm_tag;
  fields.field("gradient_clip_global_norm_tag", options.gradient_clip_global_norm_tag, "");
  fields.field("accum_grad_restarts", options.accum_grad_restarts, "");
  fields.errors.throw_if_any();
  return options;
}

GradientOptions GradientOptions::with_layer_options(const Value& updater_opts) const {
  GradientOptions options = *this;
  if (updater_opts.is_none()) return options;
  ArgsReader reader(updater_opts.without("optimizer"));
  visit(reader, options);
  reader.field("global_norm_tag", options.global_norm_tag, "parameters with this tag count for the norm");
  if (reader.given("global_norm_tag") && !reader.given("gradient_clip_global_norm_tag")) {
    options.gradient_clip_global_norm_tag = options.global_norm_tag;
  }
  reader.field("gradient_clip_global_norm_tag", options.gradient_clip_global_norm_tag, "the same for clipping only");
  reader.field("tags", options.tags, "names for groups of parameters");
  reader.finish("updater_opts");
  return options;
}

bool GradientOptions::clips_global_norm_only() const {
  const bool others = accum_grad_multiple_step >= 1 || gradient_noise > 0 || gradient_clip > 0 ||
                      gradient_clip_norm > 0 || gradient_clip_avg_norm > 0 || grad_norm_to_clip_to_zero > 0 ||
                      gradient_nan_inf_filter;
  return !others && gradient_clip_global_norm_tag.empty();
}

double clip_factor(double norm, double most) {
  if (!std::isfinite(norm)) return std::numeric_limits<double>::quiet_NaN();
  return norm > most ? most / norm : 1.0;
}

double sum_of_squares(const float* values, size_t count) {
  // Short float sums (vectorised by 16 lanes) inside one double sum.
  double sum = 0;
  for (size_t begin = 0; begin < count; begin += 1024) {
    const size_t end = std::min(count, begin + 1024);
    float lanes[16] = {};
    size_t i = begin;
    for (; i + 16 <= end; i += 16) {
      for (size_t lane = 0; lane < 16; ++lane) lanes[lane] += values[i + lane] * values[i + lane];
    }
    for (; i < end; ++i) sum += double{values[i]} * values[i];
    for (float lane : lanes) sum += double{lane};
  }
  return sum;
}

void process_gradient(float* gradient, size_t count, const GradientOptions& options, const ProcessingContext& context) {
  if (options.gradient_noise > 0) add_truncated_normal(gradient, count, options.gradient_noise, context);
  if (options.gradient_clip > 0) {
    const float most = static_cast<float>(options.gradient_clip);
    for (size_t i = 0; i < count; ++i) {
      // A nan fails both comparisons and stays.
      if (gradient[i] > most) gradient[i] = most;
      if (gradient[i] < -most) gradient[i] = -most;
    }
  }
  if (options.gradient_clip_norm > 0) {
    const double squares = context.own_squares >= 0 ? context.own_squares : sum_of_squares(gradient, count);
    scale(gradient, count, clip_factor(std::sqrt(squares), options.gradient_clip_norm));
  }
  if (options.gradient_clip_avg_norm > 0) {
    const double norm = std::sqrt(sum_of_squares(gradient, count)) / static_cast<double>(count);
    scale(gradient, count, clip_factor(norm, options.gradient_clip_avg_norm));
  }
  if (options.gradient_clip_global_norm > 0) {
    const double factor = clip_factor(context.clip_norm, options.gradient_clip_global_norm);
    if (factor != 1.0) scale(gradient, count, factor);
  }
  if (options.gradient_nan_inf_filter) {
    for (size_t i = 0; i < count; ++i) {
      if (!std::isfinite(gradient[i])) gradient[i] = 0;
    }
  }
  if (options.grad_norm_to_clip_to_zero > 0 && !(context.zero_norm <= options.grad_norm_to_clip_to_zero)) {
    std::memset(gradient, 0, count * sizeof(float));
  }
}

}  // namespace wende
