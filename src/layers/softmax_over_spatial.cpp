#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct SoftmaxOverSpatialArgs {
  Value axis, energy_factor, use_time_mask, start, window_start, window_size;
  bool log_space = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that sums to one (time)");
    v.field("energy_factor", energy_factor, "factor of the input");
    v.field("use_time_mask", use_time_mask, "zeros on padded frames (True on dynamic axes)");
    v.field("log_space", log_space, "gives log probabilities");
    v.field("start", start, "not supported");
    v.field("window_start", window_start, "not supported");
    v.field("window_size", window_size, "not supported");
  }
};

class SoftmaxOverSpatialLayer : public Layer {
 public:
  explicit SoftmaxOverSpatialLayer(SoftmaxOverSpatialArgs args) : args_(std::move(args)) {
    for (const Value* option : {&args_.start, &args_.window_start, &args_.window_size}) {
      if (!option->is_none()) {
        throw option->error("softmax_over_spatial with a window is not supported by Wende " WENDE_VERSION);
      }
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    return x.permuted(order_with_last(x.rank(), axis_)).with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.input();
    out_data(builder.context());
    Expr energy = x.expr;
    if (!args_.energy_factor.is_none()) {
      energy = ops::scale(energy, args_.energy_factor.as_float());
    }
    const bool masked = args_.use_time_mask.is_none() || args_.use_time_mask.as_bool();
    const Expr mask = masked ? axis_mask(builder, x.data, axis_) : Expr{};
    if (mask.defined()) {
      energy = ops::where(mask, energy, ops::constant(builder.graph(), -1e30));
    }
    energy = permute_if_needed(energy, order_with_last(x.data.rank(), axis_));
    return args_.log_space ? ops::log_softmax(energy) : ops::softmax(energy);
  }

 private:
  SoftmaxOverSpatialArgs args_;
  int axis_ = 0;
};

const RegisterLayer<SoftmaxOverSpatialLayer, SoftmaxOverSpatialArgs> kRegister{
    "softmax_over_spatial",
    {},
    "Softmax over a spatial axis, which becomes the last one; padded frames get 0.",
    {R"({"class": "softmax_over_spatial", "from": "data"})"}};

}  // namespace
}  // namespace wende
