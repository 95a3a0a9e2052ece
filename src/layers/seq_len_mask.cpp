#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/window_mask.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct SeqLenMaskArgs {
  Value mask_value, axis, seq_len_source;
  WindowMaskArgs window;

  template <class V>
  void fields(V& v) {
    v.field("mask_value", mask_value, "the number in padded frames");
    v.field("axis", axis, "the axis (time)");
    v.field("seq_len_source", seq_len_source, "not supported");
    window.fields(v);
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
    args_.window.check("seq_len_mask");
  }

  std::vector<std::string> refs() const override { return args_.window.refs(); }

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
    const LayerOutput x = builder.input();
    const Expr mask = window_mask(builder, out, axis_, args_.window);
    return mask.defined()
               ? ops::where(mask, x.expr, ops::constant(builder.graph(), args_.mask_value.as_float(), x.expr.dtype()))
               : x.expr;
  }

 private:
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
