#include "ops/gather.h"

#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/gathering.h"
#include "layers/layer_names.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct GatherArgs {
  Value position, axis;
  bool clip_to_valid = false;

  template <class V>
  void fields(V& v) {
    v.field("position", position, "layer of indices, or a number");
    v.field("axis", axis, "the axis that is read");
    v.field("clip_to_valid", clip_to_valid, "indices are clipped to the valid range");
  }
};

class GatherLayer : public Layer {
 public:
  explicit GatherLayer(GatherArgs args) : args_(std::move(args)) {
    if (!args_.position.is_string() && args_.position.kind() != Value::Kind::kInt) {
      throw args_.position.error("gather needs 'position': a layer or a number, got " + args_.position.repr());
    }
  }

  std::vector<std::string> refs() const override { return layer_names({&args_.position}); }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (args_.axis.is_none()) {
      throw context.options.error("gather needs 'axis'");
    }
    axis_ = axis_of_option(x, args_.axis, context.behavior_version);
    Data position;
    if (args_.position.is_string()) {
      position = context.refs.at(args_.position.as_string());
      if (position.dtype != DType::kInt32 && position.dtype != DType::kInt64) {
        throw args_.position.error("positions must be integers, got " + position.str());
      }
    }
    const Dim& read = x.dims[static_cast<size_t>(axis_)];
    if (args_.clip_to_valid && !args_.position.is_string() && read.is_dynamic() && !read.is_batch() && x.has_batch()) {
      position.dims = {x.dims[static_cast<size_t>(x.batch_axis())]};  // the end of each sequence
    }
    position_ = position;
    gathering_ = Gathering(x, position, axis_);
    return gathering_.out_data(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput x = builder.input();
    if (!args_.position.is_string()) {
      const int64_t at = args_.position.as_int();
      if (args_.clip_to_valid) {
        const Expr index = ops::constant(builder.graph(), static_cast<double>(at), DType::kInt32, position_.dims);
        return gathering_.build(x.expr, clipped(builder, x, {position_, index}));
      }
      const Expr part = ops::slice(x.expr, axis_, at, at + 1 == 0 ? INT64_MAX : at + 1, 1, Dim::fixed(1));
      return ops::squeeze(part, axis_);
    }
    const LayerOutput position = builder.ref(args_.position.as_string());
    return gathering_.build(x.expr, args_.clip_to_valid ? clipped(builder, x, position) : position.expr);
  }

 private:
  Expr clipped(LayerBuilder& builder, const LayerOutput& x, const LayerOutput& position) const {
    const Dim& dim = x.data.dims[static_cast<size_t>(axis_)];
    const Expr zero = ops::int_constant(builder.graph(), 0);
    const Expr one = ops::int_constant(builder.graph(), 1);
    Expr size = dim_size(builder.graph(), dim);
    const int batch = position.data.batch_axis();
    if (dim.is_dynamic() && !dim.is_batch() && batch >= 0) {
      size = builder.lengths(dim);
      for (int i = 0; i < position.data.rank(); ++i) {
        size = i == batch ? size : ops::expand_dims(size, i);
      }
    }
    const Expr last = ops::binary(ops::Binary::kMaximum, ops::sub(size, one), zero);
    const Expr index = ops::binary(ops::Binary::kMaximum, ops::cast(position.expr, DType::kInt32), zero);
    return ops::binary(ops::Binary::kMinimum, index, last);
  }

  GatherArgs args_;
  int axis_ = 0;
  Data position_;
  Gathering gathering_;
};

const RegisterLayer<GatherLayer, GatherArgs> kRegister{
    "gather",
    {},
    "Reads its input along an axis at the positions that another layer gives.",
    {R"({"class": "gather", "axis": "F", "position": 2, "from": "data"})",
     R"({"class": "gather", "axis": "F", "position": "data:classes", "from": "data"})"}};

}  // namespace
}  // namespace wende
