#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct AccumulateMeanArgs {
  double exp_average = 0.0;
  Value axes, initial_value, is_prob_distribution;

  template <class V>
  void fields(V& v) {
    v.field("exp_average", exp_average, "share of the batch in the running mean");
    v.field("axes", axes, "the axes to average over (batch and time)");
    v.field("initial_value", initial_value, "what the mean starts with (0; 1/n for a distribution)");
    v.field("is_prob_distribution", is_prob_distribution, "the mean is a distribution over the features");
  }
};

/// The running mean over all training batches, e.g. of label probabilities.
class AccumulateMeanLayer : public Layer {
 public:
  explicit AccumulateMeanLayer(AccumulateMeanArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_ = axes_of_option(x, args_.axes.is_none() ? Value::of("bt") : args_.axes, context.behavior_version);
    Data out = x;
    std::sort(axes_.begin(), axes_.end());
    for (size_t i = axes_.size(); i-- > 0;) {
      out = out.without_axis(axes_[i]);
    }
    for (const Dim& dim : out.dims) {
      if (dim.is_dynamic() || dim.is_batch()) {
        throw context.options.error("accumulate_mean needs a result of fixed size, got " + out.str());
      }
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Shape shape;
    for (const Dim& dim : out.dims) {
      shape.push_back(dim.size());
    }
    double start = args_.initial_value.is_none() ? 0.0 : args_.initial_value.as_float();
    const bool distribution = !args_.is_prob_distribution.is_none() && args_.is_prob_distribution.as_bool();
    if (distribution && args_.initial_value.is_none()) {
      start = 1.0 / static_cast<double>(shape.elements());
    }
    const Expr mean = builder.param("mean_1", shape, Value(), fmt::format("{}", start), false);  // RETURNN's name
    if (builder.context().train) {
      const Expr step = ops::sub(batch_mean(builder), mean);
      builder.assign("mean_1", ops::add(mean, ops::scale(ops::stop_gradient(step), args_.exp_average)));
    }
    return ops::reshape(mean, out.dims);
  }

 private:
  Expr batch_mean(LayerBuilder& builder) const {
    const LayerOutput x = builder.input();
    Expr valid = ops::constant(builder.graph(), 1.0, DType::kFloat32, x.expr.dims());
    Expr value = x.expr;
    const Expr zero = ops::constant(builder.graph(), 0.0);
    for (const int axis : axes_) {
      if (const Expr mask = axis_mask(builder, x.data, axis); mask.defined()) {
        valid = ops::where(mask, valid, zero);
        value = ops::where(mask, value, zero);
      }
    }
    return ops::div(ops::reduce(ops::Reduction::kSum, value, axes_), ops::reduce(ops::Reduction::kSum, valid, axes_));
  }

  AccumulateMeanArgs args_;
  std::vector<int> axes_;
};

const RegisterLayer<AccumulateMeanLayer, AccumulateMeanArgs> kRegister{
    "accumulate_mean",
    {},
    "The running mean of its input over all training batches.",
    {R"({"class": "accumulate_mean", "exp_average": 0.1, "from": "data"})"}};

}  // namespace
}  // namespace wende
