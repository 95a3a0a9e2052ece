#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/layer_names.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct SeqLenMaskArgs {
  Value mask_value, axis, seq_len_source, start, window_start, window_size;

  template <class V>
  void fields(V& v) {
    v.field("mask_value", mask_value, "the number in padded frames");
    v.field("axis", axis, "the axis (time)");
    v.field("seq_len_source", seq_len_source, "not supported");
    v.field("start", start, "layer: frames before this one are masked too");
    v.field("window_start", window_start, "number or layer: first frame of a window that stays");
    v.field("window_size", window_size, "number or layer: its size");
  }
};

/// The input with a number in padded frames, and where options say so.
class SeqLenMaskLayer : public Layer {
 public:
  explicit SeqLenMaskLayer(SeqLenMaskArgs args) : args_(std::move(args)) {
    if (!args_.mask_value.is_number()) {
      throw args_.mask_value.error("seq_len_mask needs a number 'mask_value', got " + args_.mask_value.repr());
    }
    if (!args_.seq_len_source.is_none()) {
      throw args_.seq_len_source.error("seq_len_source is not supported by Wende " WENDE_VERSION);
    }
    if (args_.window_start.is_none() != args_.window_size.is_none()) {
      throw Error(ExitStatus::kConfig, "seq_len_mask needs both window_start and window_size, or none of them");
    }
  }

  std::vector<std::string> refs() const override {
    return layer_names({&args_.start, &args_.window_start, &args_.window_size});
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    if (x.dims[static_cast<size_t>(axis_)].is_static()) {
      throw context.options.error("seq_len_mask needs an axis with sequence lengths, got " + x.str());
    }
    return x;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Graph& graph = builder.graph();
    const LayerOutput x = builder.input();
    Expr place = ops::range(graph, out.dims[static_cast<size_t>(axis_)]);
    for (int i = 0; i < out.rank(); ++i) {
      place = i == axis_ ? place : ops::expand_dims(place, i);
    }
    Expr mask = axis_mask(builder, x.data, axis_);
    const auto also = [&mask](Expr more) {
      mask = mask.defined() ? ops::binary(ops::Binary::kLogicalAnd, mask, more) : more;
    };
    if (!args_.start.is_none()) {
      also(ops::binary(ops::Binary::kGreaterEqual, place, number(builder, args_.start, out)));
    }
    if (!args_.window_start.is_none()) {
      const Expr begin = number(builder, args_.window_start, out);
      also(ops::binary(ops::Binary::kGreaterEqual, place, begin));
      also(ops::binary(ops::Binary::kLess, place, ops::add(begin, number(builder, args_.window_size, out))));
    }
    return mask.defined() ? ops::where(mask, x.expr, ops::constant(graph, args_.mask_value.as_float(), x.expr.dtype()))
                          : x.expr;
  }

 private:
  static Expr number(LayerBuilder& builder, const Value& option, const Data& layout) {
    if (!option.is_string()) {
      return ops::int_constant(builder.graph(), option.as_int());
    }
    return ops::cast(align_to(builder.ref(option.as_string()), layout), DType::kInt32);
  }

  SeqLenMaskArgs args_;
  int axis_ = 0;
};

const RegisterLayer<SeqLenMaskLayer, SeqLenMaskArgs> kRegister{
    "seq_len_mask",
    {},
    "Its input with a number in padded frames.",
    {R"({"class": "seq_len_mask", "mask_value": 0.5, "from": "data"})",
     R"({"class": "seq_len_mask", "mask_value": 0, "window_start": 1, "window_size": 2, "from": "data"})"}};

}  // namespace
}  // namespace wende
