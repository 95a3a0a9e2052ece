#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "base/lower_case.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/spatial_input.h"
#include "ops/conv.h"

namespace wende {
namespace {

struct PoolArgs : SpatialInputArgs {
  std::string mode;
  Value pool_size, padding, dilation_rate, strides, use_channel_first;

  template <class V>
  void fields(V& v) {
    v.field("mode", mode, "\"max\" or \"avg\"");
    v.field("pool_size", pool_size, "sizes of the windows");
    v.field("padding", padding, "\"valid\" (default), \"same\", \"same_static\" or numbers on each side");
    v.field("dilation_rate", dilation_rate, "distance of neighbours in a window (1)");
    v.field("strides", strides, "steps (pool_size)");
    spatial_fields(v);
    v.field("use_channel_first", use_channel_first, "accepted; the output has its features last");
  }
};

/// The largest element or the mean of windows.
class PoolLayer : public Layer {
 public:
  explicit PoolLayer(PoolArgs args) : args_(std::move(args)) {
    const std::string mode = lower_case(args_.mode);
    max_ = mode == "max";
    if (!max_ && mode != "avg") {
      throw Error(ExitStatus::kConfig, "pool needs 'mode': \"max\" or \"avg\", got '" + args_.mode + "'");
    }
    if (!args_.pool_size.is_sequence() || args_.pool_size.items().empty() || args_.pool_size.items().size() > 3) {
      throw args_.pool_size.error("pool_size is a tuple of 1, 2 or 3 numbers, got " + args_.pool_size.repr());
    }
    size_ = per_axis(args_.pool_size, args_.pool_size.items().size(), 1, "pool_size");
    if (args_.padding.is_none()) {
      args_.padding = Value::of("valid");
    }
  }

  Data out_data(const LayerContext& context) override {
    const size_t rank = size_.size();
    input_ = SpatialInput(concat_input_data(context.sources, context.name), args_, rank, context);
    options_.strides = args_.strides.is_none() ? size_ : per_axis(args_.strides, rank, 1, "strides");
    options_.dilations = per_axis(args_.dilation_rate, rank, 1, "dilation_rate");
    const bool dilated = std::any_of(options_.dilations.begin(), options_.dilations.end(), [](int d) { return d > 1; });
    if (dilated && std::any_of(options_.strides.begin(), options_.strides.end(), [](int s) { return s > 1; })) {
      throw context.options.error("pool with both strides and dilation_rate > 1 does not exist in TensorFlow");
    }
    const SpatialPadding padding(args_.padding, rank);
    // TensorFlow's own padding leaves the border out; where RETURNN (or dilation) pads first, zeros are elements.
    counted_ = dilated || padding.kind == SpatialPadding::Kind::kSameStatic ||
               (padding.kind == SpatialPadding::Kind::kExplicit && !max_);
    const std::vector<Dim> spatial = padding.place(input_.spatial_dims(), size_, context.absolute_name, options_);
    name_axes(context, "out_spatial_dims", spatial);
    return input_.with(spatial, input_.data().dims.back());
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const double outside = max_ ? -std::numeric_limits<double>::infinity() : 0.0;
    const Expr x = input_.arrange(builder, builder.input(), outside);
    const std::vector<Dim> spatial(out.dims.begin() + input_.batch_axes(), out.dims.end() - 1);
    return input_.restore(ops::pool(x, max_, size_, options_, counted_, spatial), out);
  }

 private:
  PoolArgs args_;
  bool max_ = true;
  bool counted_ = false;
  std::vector<int> size_;
  SpatialInput input_;
  ops::ConvOptions options_;
};

const RegisterLayer<PoolLayer, PoolArgs> kRegister{
    "pool",
    {},
    "The largest element or the mean of windows along axes.",
    {R"({"class": "pool", "mode": "max", "pool_size": (2,), "padding": "same", "from": "data"})",
     R"({"class": "pool", "mode": "avg", "pool_size": (3,), "strides": 1, "padding": "same", "use_time_mask": True, "from": "data"})"}};

}  // namespace
}  // namespace wende
