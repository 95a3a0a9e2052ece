#include "layers/batch_norm.h"

#include <fmt/core.h>

#include "layers/activation.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// Options with their defaults.
struct Settings {
  bool use_shift, use_std, force_sample, update_only_in_training, delay_update, masked;
  double use_sample, momentum, epsilon;
  int64_t version;

  Settings(const BatchNormArgs& args, const LayerContext& context) {
    const bool modern = context.behavior_version >= 12;
    const auto flag = [](const Value& value, bool fallback) { return value.is_none() ? fallback : value.as_bool(); };
    const auto number = [](const Value& value, double fallback) {
      return value.is_none() ? fallback : value.as_float();
    };
    use_shift = flag(args.use_shift, true);
    use_std = flag(args.use_std, true);
    force_sample = flag(args.force_sample, false);
    update_only_in_training = flag(args.update_sample_only_in_training, modern);
    delay_update = flag(args.delay_sample_update, modern);
    masked = flag(args.masked_time, true);
    use_sample = number(args.use_sample, 0.0);
    momentum = number(args.momentum, modern ? 0.1 : 0.99);
    epsilon = number(args.epsilon, 1e-3);
    version = args.param_version.is_none() ? (modern ? 2 : 0) : args.param_version.as_int();
    if (modern && args.masked_time.is_none()) {
      throw context.options.error("batch_norm needs 'masked_time' (True or False) from behavior_version 12 on");
    }
    if (version < 0 || version > 2) {
      throw args.param_version.error(fmt::format("param_version must be 0, 1 or 2, got {}", version));
    }
    update_only_in_training = update_only_in_training || fused();
  }
  /// RETURNN calls TensorFlow's fused op then. Its running variance is the unbiased one, and evaluation never changes
  /// it.
  bool fused() const { return version == 2 && !masked && use_shift && use_std && use_sample == 0.0 && !force_sample; }
};

/// Mean and variance over everything but features, with size-1 axes; the variance is the biased one.
struct Moments {
  Expr mean, variance, count;
};

Moments moments_of(LayerBuilder& builder, const LayerOutput& x, bool masked) {
  std::vector<int> axes;
  for (int axis = 0; axis < x.data.rank(); ++axis) {
    if (axis != x.data.feature_axis) {
      axes.push_back(axis);
    }
  }
  const Expr mask = masked && x.data.has_time() ? axis_mask(builder, x.data, x.data.time_axis) : Expr{};
  std::vector<Dim> frames = x.expr.dims();
  frames[static_cast<size_t>(x.data.feature_axis)] = Dim::fixed(1);
  Expr ones = ops::constant(builder.graph(), 1.0, DType::kFloat32, frames);
  const auto keep_valid = [&](Expr value) {
    return mask.defined() ? ops::where(mask, value, ops::constant(builder.graph(), 0.0)) : value;
  };
  const auto sum = [&](Expr value) { return ops::reduce(ops::Reduction::kSum, keep_valid(value), axes, true); };
  Moments result;
  result.count = ops::reduce(ops::Reduction::kSum, keep_valid(ones), axes, true);
  result.mean = ops::div(sum(x.expr), result.count);
  result.variance = ops::div(sum(ops::unary(ops::Unary::kSquare, ops::sub(x.expr, result.mean))), result.count);
  return result;
}

/// RETURNN keeps all parameters of a rec layer in "rec".
std::string folder_of_params(const Value& options) {
  const Value* layer_class = options.find("class");
  return layer_class && layer_class->is_string() && layer_class->as_string() == "rec" ? "rec/" : "";
}

/// The parameters of one norm, and what a step makes of them.
class Norm {
 public:
  Norm(LayerBuilder& builder, const LayerOutput& x, const BatchNormArgs& args, const std::string& layer)
      : builder_(builder), x_(x), args_(args), settings_(args, builder.context()) {
    prefix_ = folder_of_params(builder.context().options) + "batch_norm/";
    if (settings_.version == 0) {
      prefix_ += fmt::format("{0}_{0}_output_", layer);
    } else if (settings_.version == 2) {
      prefix_ += "v2_";
    }
    for (int axis = 0; axis < x.data.rank(); ++axis) {
      const bool feature = axis == x.data.feature_axis;
      dims_.push_back(feature ? x.expr.dim(axis) : Dim::fixed(1));
      shape_.push_back(feature ? x.expr.dim(axis).size() : 1);
    }
  }

  Expr output() {
    const Expr old_mean = param("mean", Value(), "zeros", false);
    const Expr old_variance = param("variance", Value(), "ones", false);
    const bool train = builder_.context().train;
    const bool update = train || !settings_.update_only_in_training;
    const bool by_use_sample = train || settings_.force_sample;
    Moments batch;
    if (update || (by_use_sample && settings_.use_sample != 1.0)) {
      batch = moments_of(builder_, x_, settings_.masked);
    }
    const Expr new_mean = update ? moved("mean", old_mean, batch.mean) : old_mean;
    const Expr new_variance = update ? moved("variance", old_variance, unbiased(batch)) : old_variance;
    const Expr mean = settings_.delay_update ? old_mean : new_mean;
    const Expr variance = settings_.delay_update ? old_variance : new_variance;
    const double share = by_use_sample ? settings_.use_sample : 1.0;
    Expr y = ops::sub(x_.expr, mixed(batch.mean, mean, share));
    y = ops::mul(
        y, ops::unary(ops::Unary::kRsqrt, ops::add_scalar(mixed(batch.variance, variance, share), settings_.epsilon)));
    const Value one = Value::of(1.0);
    const Value zero = Value::of(0.0);
    if (settings_.use_std) {
      y = ops::mul(y, param("gamma", args_.gamma_init.is_none() ? one : args_.gamma_init, "ones", true));
    }
    if (settings_.use_shift) {
      y = ops::add(y, param("beta", args_.beta_init.is_none() ? zero : args_.beta_init, "zeros", true));
    }
    return y;
  }

 private:
  Expr param(const std::string& name, const Value& init, const std::string& fallback, bool trainable) {
    const int64_t features = shape_[x_.data.feature_axis];
    const Shape shape = settings_.version == 2 ? Shape{features} : shape_;
    return ops::reshape(builder_.param(prefix_ + name, shape, init, fallback, trainable), dims_);
  }

  /// The running value after this step. No gradient flows into it.
  Expr moved(const std::string& name, Expr old, Expr batch) {
    const Expr value = ops::add(old, ops::scale(ops::sub(ops::stop_gradient(batch), old), settings_.momentum));
    builder_.assign(prefix_ + name, value);
    return ops::stop_gradient(value);
  }

  Expr unbiased(const Moments& batch) const {
    if (!settings_.fused()) {
      return batch.variance;
    }
    const Expr one = ops::constant(builder_.graph(), 1.0);
    const Expr less = ops::binary(ops::Binary::kMaximum, ops::sub(batch.count, one), one);
    return ops::mul(batch.variance, ops::div(batch.count, less));
  }

  /// (1 - share) * batch + share * running.
  static Expr mixed(Expr batch, Expr running, double share) {
    if (share == 0.0 || share == 1.0) {
      return share == 0.0 ? batch : running;
    }
    return ops::add(ops::scale(batch, 1.0 - share), ops::scale(running, share));
  }

  LayerBuilder& builder_;
  const LayerOutput& x_;
  const BatchNormArgs& args_;
  Settings settings_;
  std::string prefix_;
  std::vector<Dim> dims_;  ///< of the parameters in the rank of x
  Shape shape_;
};

class BatchNormLayer : public Layer {
 public:
  explicit BatchNormLayer(BatchNormArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (x.feature_axis < 0) {
      throw context.options.error("batch_norm needs an input with a feature axis, got " + x.str());
    }
    return x;
  }
  /// RETURNN's is a copy layer, normalised when it stands: losses and darc1 see the source's logits all the same.
  Expr build(LayerBuilder& builder) override {
    pass_on_logits(builder);
    return batch_norm(builder, builder.input(), args_, builder.context().name);
  }

 private:
  BatchNormArgs args_;
};

const RegisterLayer<BatchNormLayer, BatchNormArgs> kRegister{
    "batch_norm",
    {},
    "Batch normalisation: statistics of the batch in training, running ones outside.",
    {R"({"class": "batch_norm", "update_sample_only_in_training": True, "from": "data"})",
     R"({"class": "batch_norm", "momentum": 0.1, "masked_time": False, "use_sample": 0.5, "param_version": 2, "from": "data"})"}};

}  // namespace

BatchNormArgs batch_norm_args(const Value& option) {
  BatchNormArgs args;
  if (option.is_dict()) {
    ArgsReader reader(option);
    args.fields(reader);
    reader.finish("option 'batch_norm'");
  } else {
    option.as_bool();
  }
  return args;
}

Expr batch_norm(LayerBuilder& builder, const LayerOutput& x, const BatchNormArgs& args, const std::string& layer) {
  if (x.data.feature_axis < 0 || x.expr.dtype() != DType::kFloat32) {
    throw builder.context().options.error("batch_norm needs float data with a feature axis, got " + x.data.str());
  }
  return Norm(builder, x, args, layer).output();
}

}  // namespace wende
