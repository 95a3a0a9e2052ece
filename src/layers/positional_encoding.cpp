#include <fmt/core.h>

#include <cmath>

#include "layers/alignment.h"
#include "layers/attention_keys.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// Sines and cosines of float positions [...] with wavelengths from 2 pi to 2 pi 10^4: [...,channels].
Expr sinusoids(Expr position, const Dim& channels) {
  const int64_t half = channels.size() / 2;
  const Dim waves = Dim::fixed(half);
  const float step = static_cast<float>(std::log(1.0e4) / static_cast<double>(half - 1));
  std::vector<float> scales;
  for (int64_t i = 0; i < half; ++i) {
    scales.push_back(std::exp(static_cast<float>(i) * -step));
  }
  Expr scale = ops::constant_array(*position.graph, Tensor::of(scales, Shape{half}), {waves});
  for (int i = 0; i < position.rank(); ++i) {
    scale = ops::expand_dims(scale, 0);
  }
  const Expr angle = ops::mul(ops::expand_dims(position, position.rank()), scale);
  const Dim both = Dim::fixed(2 * half);
  const Expr signal = ops::concat({ops::unary(ops::Unary::kSin, angle), ops::unary(ops::Unary::kCos, angle)},
                                  angle.rank() - 1, 2 * half == channels.size() ? channels : both);
  return 2 * half == channels.size() ? signal : ops::pad(signal, signal.rank() - 1, 0, 1, 0.0, channels);
}

struct PositionalEncodingArgs {
  Value axis, offset;
  bool add_to_input = false;
  int64_t constant = -1;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "whose positions (time)");
    v.field("add_to_input", add_to_input, "the input plus the signal; else the signal alone, n_out wide");
    v.field("constant", constant, "the same position everywhere, unless negative");
    v.field("offset", offset, "layer of numbers that positions are counted from");
  }
};

class PositionalEncodingLayer : public Layer {
 public:
  explicit PositionalEncodingLayer(PositionalEncodingArgs args) : args_(std::move(args)) {}

  std::vector<std::string> refs() const override {
    return args_.offset.is_none() ? std::vector<std::string>{} : std::vector<std::string>{args_.offset.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    one_step_ = args_.axis.is_none() && !x.has_time();
    if (!one_step_) {
      axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    }
    Data out = x;
    if (!args_.add_to_input) {
      if (!context.n_out) {
        throw context.options.error("positional_encoding needs n_out or add_to_input");
      }
      out = with_feature_size(x, *context.n_out, context.absolute_name + ":feature");
    }
    if (out.feature_axis != out.rank() - 1 || out.dims.back().size() < 4) {
      throw context.options.error("positional_encoding needs the feature axis last, of size 4 or more: " + out.str());
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Graph& graph = builder.graph();
    Data frames = out.without_axis(out.feature_axis);
    frames.dtype = DType::kInt32;
    Expr position = one_step_ ? own_position(builder, frames) : positions(graph, out);
    if (!args_.offset.is_none()) {
      position = ops::add(position, ops::cast(align_to(builder.ref(args_.offset.as_string()), frames), DType::kInt32));
    }
    const Expr signal = sinusoids(ops::cast(position, DType::kFloat32), out.dims.back());
    return args_.add_to_input ? ops::add(builder.input().expr, signal) : ops::broadcast_to(signal, out.dims);
  }

 private:
  /// Along the axis, size 1 on all others.
  Expr positions(Graph& graph, const Data& out) const {
    const Expr position =
        args_.constant >= 0 ? ops::constant(graph, static_cast<double>(args_.constant), DType::kInt32, {Dim::fixed(1)})
                            : ops::range(graph, out.dims[static_cast<size_t>(axis_)]);
    return along_axis(position, axis_, out.rank() - 1);
  }

  /// Of the step of a loop: counted from 0, for each sequence by itself.
  Expr own_position(LayerBuilder& builder, const Data& frames) const {
    if (!builder.in_loop()) {
      throw builder.context().options.error("positional_encoding needs a time axis, got " + frames.str());
    }
    Data data;
    data.dims = {builder.batch_dim()};
    data.dtype = DType::kInt32;
    if (args_.constant >= 0) {
      return ops::constant(builder.graph(), static_cast<double>(args_.constant), DType::kInt32, data.dims);
    }
    builder.set_initial("position", ops::constant(builder.graph(), -1.0, DType::kInt32, data.dims));
    const Expr before = builder.previous("position", data).expr;
    const Expr position = ops::add(before, ops::int_constant(builder.graph(), 1));
    builder.add_sub_output("position", {data, position});
    return align_to({data, position}, frames);
  }

  PositionalEncodingArgs args_;
  bool one_step_ = false;
  int axis_ = 0;
};

struct RelativePositionalEncodingArgs {
  Value forward_weights_init, query_spatial_dim, key_value_spatial_dim, query_offset;
  int64_t clipping = 16;
  bool fixed = false;

  template <class V>
  void fields(V& v) {
    v.field("forward_weights_init", forward_weights_init, "initialiser of the table (glorot_uniform)");
    v.field("clipping", clipping, "distances beyond this are one");
    v.field("fixed", fixed, "sinusoids instead of a parameter");
    v.field("query_spatial_dim", query_spatial_dim, "axis of the input that queries run over (time)");
    v.field("key_value_spatial_dim", key_value_spatial_dim, "axis of the input that keys run over (time)");
    v.field("query_offset", query_offset, "place of the first query (0)");
  }
};

/// A vector for each distance of two frames: [T,T,n_out].
class RelativePositionalEncodingLayer : public Layer {
 public:
  explicit RelativePositionalEncodingLayer(RelativePositionalEncodingArgs args) : args_(std::move(args)) {
    if (args_.clipping < 1) {
      throw Error(ExitStatus::kConfig, fmt::format("clipping must be > 0, got {}", args_.clipping));
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (!context.n_out) {
      throw context.options.error("relative_positional_encoding needs n_out");
    }
    one_step_ = !x.has_time() && args_.query_spatial_dim.is_none() && args_.key_value_spatial_dim.is_none();
    const auto dim = [&](const Value& option) {
      const int axis = axis_or_time(x, option, context.behavior_version);
      return x.dims[static_cast<size_t>(axis)];
    };
    if (one_step_) {
      if (!context.loop_time.defined()) {
        throw context.options.error("relative_positional_encoding needs a time axis, got " + x.str());
      }
    }
    Data out;
    out.name = context.name;
    out.dims = {one_step_ ? Dim::fixed(1, Dim::Kind::kSpatial) : dim(args_.query_spatial_dim),
                one_step_ ? attention_keys(context.loop_time) : dim(args_.key_value_spatial_dim),
                Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + "_rel_pos_enc_feat")};
    out.set_default_marks();
    out.feature_axis = 2;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Graph& graph = builder.graph();
    const int64_t rows = 2 * args_.clipping + 1;
    const Dim row_dim = Dim::fixed(rows, Dim::Kind::kSpatial);
    const Expr table = args_.fixed ? sinusoids(ops::cast(ops::range(graph, row_dim), DType::kFloat32), out.dims[2])
                                   : builder.param("encoding_matrix", Shape{rows, out.dims[2].size()},
                                                   args_.forward_weights_init, "glorot_uniform");
    const auto number = [&](int64_t value) { return ops::int_constant(graph, value); };
    const Expr offset = !args_.query_offset.is_none() ? number(args_.query_offset.as_int())
                        : one_step_                   ? builder.loop_step()
                                                      : number(0);
    const Expr query = ops::expand_dims(ops::add(ops::range(graph, out.dims[0]), offset), 1);
    const Expr key = ops::expand_dims(ops::range(graph, out.dims[1]), 0);
    Expr distance = ops::sub(key, query);
    distance = ops::binary(ops::Binary::kMinimum, distance, number(args_.clipping));
    distance = ops::binary(ops::Binary::kMaximum, distance, number(-args_.clipping));
    return ops::look_up(table, ops::add(distance, number(args_.clipping)));
  }

 private:
  RelativePositionalEncodingArgs args_;
  bool one_step_ = false;
};

const RegisterLayer<PositionalEncodingLayer, PositionalEncodingArgs> kRegister{
    "positional_encoding",
    {},
    "Sinusoids of the position, alone or added to the input.",
    {R"({"class": "positional_encoding", "add_to_input": True, "from": "data"})",
     R"({"class": "positional_encoding", "n_out": 6, "from": "data"})"}};
const RegisterLayer<RelativePositionalEncodingLayer, RelativePositionalEncodingArgs> kRegisterRelative{
    "relative_positional_encoding",
    {},
    "A vector for each distance of two frames, [T,T,n_out].",
    {R"({"class": "relative_positional_encoding", "n_out": 4, "clipping": 2, "from": "data"})",
     R"({"class": "relative_positional_encoding", "n_out": 4, "fixed": True, "from": "data"})"}};

}  // namespace
}  // namespace wende
