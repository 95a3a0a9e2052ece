#include "ops/conv.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/lower_case.h"
#include "layers/activation.h"
#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/spatial_input.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// What convolutions of both directions have.
struct FilterArgs : SpatialInputArgs {
  Value filter_size, strides, forward_weights_init, bias_init, activation, with_bias, filter, filter_perm, bias;

  template <class V>
  void filter_fields(V& v) {
    v.field("filter_size", filter_size, "sizes of the filter: 1, 2 or 3 numbers");
    v.field("with_bias", with_bias, "adds a bias (conv: True from behavior_version 10 on; transposed_conv: True)");
    v.field("activation", activation, "function of the output");
    v.field("forward_weights_init", forward_weights_init, "initialiser of the filter (glorot_uniform)");
    v.field("bias_init", bias_init, "initialiser of the bias (0)");
    v.field("filter", filter, "layer whose output is the filter");
    v.field("filter_perm", filter_perm, "not supported");
    v.field("bias", bias, "layer whose output is the bias");
  }
};

class FilterLayer : public Layer {
 public:
  explicit FilterLayer(const FilterArgs& args) : filter_args_(args) {
    if (!args.filter_perm.is_none()) {
      throw args.filter_perm.error("filter_perm is not supported by Wende " WENDE_VERSION);
    }
    if (!args.filter_size.is_sequence() || args.filter_size.items().empty() || args.filter_size.items().size() > 3) {
      throw args.filter_size.error("filter_size is a tuple of 1, 2 or 3 numbers, got " + args.filter_size.repr());
    }
    size_ = per_axis(args.filter_size, args.filter_size.items().size(), 1, "filter_size");
  }

  std::vector<std::string> refs() const override {
    std::vector<std::string> names;
    for (const Value* option : {&filter_args_.filter, &filter_args_.bias}) {
      if (!option->is_none()) {
        names.push_back(option->as_string());
      }
    }
    return names;
  }

 protected:
  /// The variable, or the layer that stands in for it.
  Expr filter(LayerBuilder& builder, const char* name, const Shape& shape) const {
    const Value& option = filter_args_.filter;
    if (option.is_none()) {
      return builder.param(name, shape, filter_args_.forward_weights_init, "glorot_uniform");
    }
    std::vector<Dim> dims;
    int64_t elements = 1;
    for (const int64_t size : shape) {
      dims.push_back(Dim::fixed(size));
    }
    const Expr given = builder.ref(option.as_string()).expr;
    for (const Dim& dim : given.dims()) {
      elements *= dim.is_static() ? dim.size() : 0;
    }
    if (elements != shape.elements()) {
      throw option.error(fmt::format("the filter must be of shape {}, but layer '{}' is {}", shape.str(),
                                     option.as_string(), given.type().str()));
    }
    return ops::reshape(given, dims);
  }

  Expr finish(LayerBuilder& builder, Expr y, bool with_bias) const {
    const Data& out = builder.out_data();
    if (with_bias || !filter_args_.bias.is_none()) {
      if (filter_args_.bias.is_none()) {
        const Dim& dim = out.dims[static_cast<size_t>(out.feature_axis)];
        Data data;
        data.dims = {dim};
        data.feature_axis = 0;
        y = ops::add(y,
                     align_to({data, builder.param("bias", Shape{dim.size()}, filter_args_.bias_init, "zeros")}, out));
      } else {
        y = ops::add(y, align_to(builder.ref(filter_args_.bias.as_string()), out));
      }
    }
    add_logits(builder, filter_args_.activation, y);
    return apply_activation(filter_args_.activation, y, out.feature_axis);
  }

  static Dim channels(const LayerContext& context) {
    if (!context.n_out) {
      throw context.options.error("n_out missing and cannot be derived for layer '" + context.name + "'");
    }
    return Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + ":channel");
  }

  FilterArgs filter_args_;
  std::vector<int> size_;
  SpatialInput input_;
};

struct ConvArgs : FilterArgs {
  Value padding, dilation_rate, auto_use_channel_first, pad_seq_len_to_power;
  int64_t groups = 1;

  template <class V>
  void fields(V& v) {
    filter_fields(v);
    v.field("padding", padding, "\"same\", \"valid\", \"same_static\" or numbers of zeros on each side");
    v.field("strides", strides, "steps (1)");
    v.field("dilation_rate", dilation_rate, "distance of neighbours in the filter (1)");
    v.field("groups", groups, "channels fall in so many separate groups");
    spatial_fields(v);
    input_fields(v);
    v.field("auto_use_channel_first", auto_use_channel_first, "accepted; the output has its features last");
    v.field("pad_seq_len_to_power", pad_seq_len_to_power, "accepted; changes nothing but speed in RETURNN");
  }
};

class ConvLayer : public FilterLayer {
 public:
  explicit ConvLayer(ConvArgs args) : FilterLayer(args), args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const size_t rank = size_.size();
    input_ = SpatialInput(concat_input_data(context.sources, context.name), args_, rank, context);
    options_.strides = per_axis(args_.strides, rank, 1, "strides");
    options_.dilations = per_axis(args_.dilation_rate, rank, 1, "dilation_rate");
    options_.groups = static_cast<int>(args_.groups);
    if (args_.padding.is_none()) {
      throw context.options.error("conv needs 'padding': \"same\" or \"valid\"");
    }
    const SpatialPadding padding(args_.padding, rank);
    const std::vector<Dim> spatial = padding.place(input_.spatial_dims(), size_, context.absolute_name, options_);
    name_axes(context, "out_spatial_dims", spatial);
    const Dim out = channels(context);
    const int64_t in = input_.data().dims.back().size();
    if (args_.groups < 1 || in % args_.groups != 0 || out.size() % args_.groups != 0) {
      throw context.options.error(
          fmt::format("{} input and {} output channels do not fall in {} groups", in, out.size(), args_.groups));
    }
    return input_.with(spatial, out);
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Expr x = input_.arrange(builder, builder.input(), 0.0);
    Shape shape;
    for (const int size : size_) {
      shape.push_back(size);
    }
    shape.push_back(input_.data().dims.back().size() / args_.groups);
    shape.push_back(out.dims.back().size());
    const std::vector<Dim> spatial(out.dims.begin() + input_.batch_axes(), out.dims.end() - 1);
    const Expr y = ops::conv(x, filter(builder, "W", shape), options_, spatial);
    const bool with_bias =
        args_.with_bias.is_none() ? builder.context().behavior_version >= 10 : args_.with_bias.as_bool();
    return finish(builder, input_.restore(y, out), with_bias);
  }

 private:
  ConvArgs args_;
  ops::ConvOptions options_;
};

struct TransposedConvArgs : FilterArgs {
  std::string padding = "same";
  Value remove_padding, output_padding;

  template <class V>
  void fields(V& v) {
    filter_fields(v);
    v.field("padding", padding, "\"same\" or \"valid\"");
    v.field("strides", strides, "how much longer the axes become (filter_size)");
    v.field("remove_padding", remove_padding, "elements cut off at both ends (0)");
    v.field("output_padding", output_padding, "size of the output beyond the smallest one; None = RETURNN's rule");
    spatial_fields(v);
  }
};

class TransposedConvLayer : public FilterLayer {
 public:
  explicit TransposedConvLayer(TransposedConvArgs args) : FilterLayer(args), args_(std::move(args)) {
    args_.padding = lower_case(args_.padding);
    if (args_.padding != "same" && args_.padding != "valid") {
      throw Error(ExitStatus::kConfig,
                  "padding of transposed_conv is \"same\" or \"valid\", got '" + args_.padding + "'");
    }
  }

  Data out_data(const LayerContext& context) override {
    const size_t rank = size_.size();
    input_ = SpatialInput(concat_input_data(context.sources, context.name), args_, rank, context);
    options_.strides = args_.strides.is_none() ? size_ : per_axis(args_.strides, rank, 1, "strides");
    options_.dilations.assign(rank, 1);
    options_.left.assign(rank, 0);
    options_.same = args_.padding == "same";
    removed_ = per_axis(args_.remove_padding, rank, 0, "remove_padding");
    full_ = input_.spatial_dims();
    std::vector<Dim> spatial;
    for (size_t i = 0; i < rank; ++i) {
      const std::string name = fmt::format("{}:conv:s{}", context.absolute_name, i);
      full_[i] = longer(full_[i], options_.strides[i], extra(i), name);
      spatial.push_back(removed_[i] == 0 ? full_[i] : longer(full_[i], 1, -2 * removed_[i], name));
    }
    name_axes(context, "out_spatial_dims", spatial);
    return input_.with(spatial, channels(context));
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Expr x = input_.arrange(builder, builder.input(), 0.0);
    Shape shape;
    std::vector<Dim> window;
    for (const int size : size_) {
      shape.push_back(size);
      window.push_back(Dim::fixed(size));
    }
    const int64_t in = input_.data().dims.back().size();
    const int64_t n_out = out.dims.back().size();
    if (size_.size() == 1) {
      shape.push_back(1);  // RETURNN runs one axis as two
    }
    shape.push_back(n_out);
    shape.push_back(in);
    window.push_back(out.dims.back());
    window.push_back(input_.data().dims.back());
    const Expr w = ops::reshape(filter(builder, "W_native_transposed_conv", shape), window);
    Expr y = ops::transposed_conv(x, w, options_, full_);
    for (size_t i = 0; i < removed_.size(); ++i) {
      if (removed_[i] > 0) {
        y = ops::slice(y, static_cast<int>(i) + 1, removed_[i], -removed_[i], 1,
                       out.dims[static_cast<size_t>(input_.batch_axes()) + i]);
      }
    }
    const bool with_bias = args_.with_bias.is_none() || args_.with_bias.as_bool();
    return finish(builder, input_.restore(y, out), with_bias);
  }

 private:
  /// What the output has beyond input * stride.
  int extra(size_t i) const {
    const int size = size_[i];
    const int stride = options_.strides[i];
    const Value* given = &args_.output_padding;
    if (given->is_sequence()) {
      per_axis(*given, size_.size(), 0, "output_padding");
      given = &given->items()[i];
    }
    if (given->is_none()) {
      return options_.same ? 0 : std::max(size - stride, 0);
    }
    return size - stride - (options_.same ? 2 * (size / 2) : 0) + static_cast<int>(given->as_int());
  }

  static Dim longer(const Dim& dim, int factor, int extra, const std::string& name) {
    if (dim.is_static()) {
      return Dim::fixed(std::max<int64_t>(dim.size() * factor + extra, 0), Dim::Kind::kSpatial, name);
    }
    const Dim product = factor == 1 ? dim : dim * factor;
    return extra > 0 ? product + extra : extra < 0 ? product - -extra : product;
  }

  TransposedConvArgs args_;
  ops::ConvOptions options_;
  std::vector<int> removed_;
  std::vector<Dim> full_;
};

const RegisterLayer<ConvLayer, ConvArgs> kRegister{
    "conv",
    {},
    "A convolution over one, two or three axes, features last.",
    {R"({"class": "conv", "filter_size": (3,), "padding": "same", "n_out": 4, "with_bias": True, "activation": "tanh", "from": "data"})",
     R"({"class": "conv", "filter_size": (2, 3), "padding": "valid", "n_out": 4, "input_add_feature_dim": True, "strides": (1, 2), "from": "data"})",
     R"({"class": "conv", "filter_size": (2,), "padding": 1, "n_out": 10, "groups": 5, "dilation_rate": 2, "use_time_mask": True, "from": "data"})"}};
const RegisterLayer<TransposedConvLayer, TransposedConvArgs> kRegisterTransposed{
    "transposed_conv",
    {},
    "The transposition of a convolution: axes become longer by the strides.",
    {R"({"class": "transposed_conv", "filter_size": (3,), "strides": (2,), "n_out": 4, "from": "data"})",
     R"({"class": "transposed_conv", "filter_size": (3,), "strides": (2,), "padding": "valid", "remove_padding": 1, "output_padding": 1, "n_out": 4, "from": "data"})"}};

}  // namespace
}  // namespace wende
