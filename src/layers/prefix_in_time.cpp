#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/layer_names.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct PrefixInTimeArgs {
  Value axis, prefix, repeat, size_base;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that becomes longer (time)");
    v.field("prefix", prefix, "the number in the new frames (0)");
    v.field("repeat", repeat, "how many frames (1); a layer is not supported");
    v.field("size_base", size_base, "layer whose time axis the output has");
  }
};

/// Constant frames before the first one.
class PrefixInTimeLayer : public Layer {
 public:
  explicit PrefixInTimeLayer(PrefixInTimeArgs args) : args_(std::move(args)) {
    if (args_.repeat.is_string()) {
      throw args_.repeat.error("prefix_in_time with a layer as 'repeat' is not supported by Wende " WENDE_VERSION);
    }
    repeat_ = args_.repeat.is_none() ? 1 : args_.repeat.as_int();
    value_ = args_.prefix.is_none() ? 0.0 : args_.prefix.as_float();
    if (repeat_ < 0) {
      throw args_.repeat.error("repeat must not be negative, got " + args_.repeat.repr());
    }
  }

  std::vector<std::string> refs() const override {
    return args_.size_base.is_none() ? std::vector<std::string>{}
                                     : std::vector<std::string>{args_.size_base.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(out, args_.axis, context.behavior_version);
    Dim& dim = out.dims[static_cast<size_t>(axis_)];
    dim = longer(dim, repeat_, context.absolute_name + ":prefix");
    if (!args_.size_base.is_none()) {
      dim = context.refs.at(args_.size_base.as_string()).time_dim();
      if (!dim.defined()) {
        throw args_.size_base.error("size_base needs a layer with a time axis");
      }
    }
    name_axes(context, "out_dim", {dim});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput x = builder.input();
    const Dim& full = out.dims[static_cast<size_t>(axis_)];
    return ops::pad(x.expr, axis_, repeat_, 0, value_, full);
  }

 private:
  PrefixInTimeArgs args_;
  int64_t repeat_ = 1;
  double value_ = 0;
  int axis_ = 0;
};

struct PostfixInTimeArgs {
  Value axis, postfix;
  int64_t repeat = 1;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that becomes longer (time)");
    v.field("postfix", postfix, "the number, or a layer without that axis, in the new frames (0)");
    v.field("repeat", repeat, "how many frames");
  }
};

/// Constant frames directly behind the last one of each sequence; padding becomes the same.
class PostfixInTimeLayer : public Layer {
 public:
  explicit PostfixInTimeLayer(PostfixInTimeArgs args) : args_(std::move(args)) {}

  std::vector<std::string> refs() const override { return layer_names({&args_.postfix}); }

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(out, args_.axis, context.behavior_version);
    Dim& dim = out.dims[static_cast<size_t>(axis_)];
    dim = longer(dim, args_.repeat, context.absolute_name + ":postfix");
    name_axes(context, "out_dim", {dim});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput x = builder.input();
    const Dim& dim = x.data.dims[static_cast<size_t>(axis_)];
    Expr value =
        ops::constant(builder.graph(), args_.postfix.is_number() ? args_.postfix.as_float() : 0.0, x.expr.dtype());
    if (args_.postfix.is_string()) {
      value = align_to(builder.ref(args_.postfix.as_string()), out);
    }
    const Dim& full = out.dims[static_cast<size_t>(axis_)];
    const Expr y = ops::pad(x.expr, axis_, 0, args_.repeat, 0.0, full);
    return ops::where(before_end(builder, out, dim, full), y, value);
  }

 private:
  Expr before_end(LayerBuilder& builder, const Data& out, const Dim& dim, const Dim& full) const {
    const bool dynamic = dim.is_dynamic() && out.has_batch();
    Expr length = dynamic ? builder.lengths(dim)
                          : ops::constant(builder.graph(), dim.is_static() ? static_cast<double>(dim.size()) : 0.0,
                                          DType::kInt32);
    const Expr position = along_axis(ops::range(builder.graph(), full), axis_, out.rank());
    length = dynamic ? along_axis(length, out.batch_axis(), out.rank()) : length;
    return ops::binary(ops::Binary::kLess, position, length);
  }

  PostfixInTimeArgs args_;
  int axis_ = 0;
};

const RegisterLayer<PrefixInTimeLayer, PrefixInTimeArgs> kRegister{
    "prefix_in_time",
    {},
    "Constant frames before the first one.",
    {R"({"class": "prefix_in_time", "prefix": 0.5, "repeat": 2, "from": "data"})"}};
const RegisterLayer<PostfixInTimeLayer, PostfixInTimeArgs> kRegisterPostfix{
    "postfix_in_time",
    {},
    "Constant frames directly behind the last one of each sequence.",
    {R"({"class": "postfix_in_time", "postfix": 0.5, "from": "data"})"}};

}  // namespace
}  // namespace wende
