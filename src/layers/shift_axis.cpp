#include <algorithm>
#include <cstdlib>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/found_size.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ShiftAxisArgs {
  Value axis;
  int64_t amount = 0;
  bool pad = true;
  Value pad_value;
  bool adjust_size_info = true;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that is shifted");
    v.field("amount", amount, "how far; positive to the right");
    v.field("pad", pad, "fills what becomes free");
    v.field("pad_value", pad_value, "with this number (0)");
    v.field("adjust_size_info", adjust_size_info, "sequence lengths change too");
  }
};

class ShiftAxisLayer : public Layer {
 public:
  explicit ShiftAxisLayer(ShiftAxisArgs args) : args_(std::move(args)), by_(std::abs(args_.amount)) {
    if (args_.amount == 0) {
      throw Error(ExitStatus::kConfig, "shift_axis needs 'amount' other than 0");
    }
  }

  Data out_data(const LayerContext& context) override {
    Data out = concat_input_data(context.sources, context.name);
    if (args_.axis.is_none()) {
      throw context.options.error("shift_axis needs 'axis'");
    }
    axis_ = axis_of_option(out, args_.axis, context.behavior_version);
    if (keeps_axis()) {
      return out;
    }
    Dim& dim = out.dims[static_cast<size_t>(axis_)];
    const std::string name = context.absolute_name + ":shift_axis";
    if (dim.is_static()) {
      if (args_.pad) {
        throw context.options.error("shift_axis of an axis without sequence lengths needs \"adjust_size_info\": False");
      }
      dim = Dim::fixed(std::max<int64_t>(dim.size() - by_, 0), dim.kind(), name);
    } else if (args_.amount < 0) {
      dim = dim - by_;
    } else {
      if (!args_.adjust_size_info || context.loop_time.defined() || !out.has_batch()) {
        throw context.options.error(
            "shift_axis to the right of frames needs \"pad\" or \"adjust_size_info\", a batch axis, and no loop");
      }
      found_ = found_.defined() ? found_ : Dim::dynamic(name);
      dim = found_;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput input = builder.input();
    const Expr x = input.expr;
    const Dim& dim = out.dims[static_cast<size_t>(axis_)];
    if (found_.defined()) {
      return shifted_right(builder, input, dim);
    }
    if (!keeps_axis()) {
      return args_.amount > 0 ? ops::slice(x, axis_, 0, -by_, 1, dim) : ops::slice(x, axis_, by_, INT64_MAX, 1, dim);
    }
    const Dim whole = longer(dim, by_, "shifted");
    return args_.amount > 0 ? ops::slice(ops::pad(x, axis_, by_, 0, fill(), whole), axis_, 0, -by_, 1, dim)
                            : ops::slice(ops::pad(x, axis_, 0, by_, fill(), whole), axis_, by_, INT64_MAX, 1, dim);
  }

 private:
  bool keeps_axis() const { return args_.pad && !args_.adjust_size_info; }
  double fill() const { return args_.pad_value.is_none() ? 0.0 : args_.pad_value.as_float(); }

  /// Sequences get longer by what is filled in, the longest of the batch loses as much at its end.
  Expr shifted_right(LayerBuilder& builder, const LayerOutput& input, const Dim& dim) const {
    const Dim& old = input.data.dims[static_cast<size_t>(axis_)];
    const Expr lengths = builder.lengths(old);
    const Expr by = ops::int_constant(builder.graph(), by_);
    Expr width = ops::reduce(ops::Reduction::kMax, lengths, {0});
    Expr wanted = lengths;
    if (args_.pad) {
      wanted = ops::add(lengths, by);
    } else {
      const Expr zero = ops::int_constant(builder.graph(), 0);
      width = ops::binary(ops::Binary::kMaximum, ops::sub(width, by), zero);
    }
    ops::found_lengths(ops::binary(ops::Binary::kMinimum, wanted, width), dim);
    const Expr x = args_.pad ? ops::pad(input.expr, axis_, by_, 0, fill(), longer(old, by_, "shifted")) : input.expr;
    return ops::cut(x, axis_, dim);
  }

  ShiftAxisArgs args_;
  int64_t by_ = 0;
  int axis_ = 0;
  Dim found_;  ///< the axis whose lengths follow from the longest sequence of the batch
};

const RegisterLayer<ShiftAxisLayer, ShiftAxisArgs> kRegister{
    "shift_axis",
    {},
    "Moves its input along an axis.",
    {R"({"class": "shift_axis", "axis": "T", "amount": 1, "from": "data"})",
     R"({"class": "shift_axis", "axis": "T", "amount": 1, "adjust_size_info": False, "from": "data"})",
     R"({"class": "shift_axis", "axis": "T", "amount": -1, "pad": False, "from": "data"})"}};

}  // namespace
}  // namespace wende
