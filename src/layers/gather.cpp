#include "ops/gather.h"

#include <fmt/core.h>

#include <algorithm>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/gathering.h"
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

  std::vector<std::string> refs() const override {
    return args_.position.is_string() ? std::vector<std::string>{args_.position.as_string()}
                                      : std::vector<std::string>{};
  }

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
    const Expr zero = ops::constant(builder.graph(), 0.0, DType::kInt32);
    const Expr one = ops::constant(builder.graph(), 1.0, DType::kInt32);
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

struct SliceNdArgs {
  Value start, size, min_size, axis, out_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("start", start, "first index: a number or a layer [B,...] (0)");
    v.field("size", size, "how many elements; None = up to the end, with a number as start");
    v.field("min_size", min_size, "smallest size where it is not given; not supported");
    v.field("axis", axis, "the axis that is cut (time)");
    v.field("out_spatial_dim", out_spatial_dim, "dim tag that the axis stands for");
  }
};

/// x[start : start + size], each sequence with a start of its own; zeros beyond its end.
class SliceNdLayer : public Layer {
 public:
  explicit SliceNdLayer(SliceNdArgs args) : args_(std::move(args)) {
    if (!args_.min_size.is_none() || args_.size.is_string() || (args_.size.is_none() && args_.start.is_string())) {
      throw args_.size.error(
          "slice_nd whose size depends on numbers of the batch is not supported by Wende " WENDE_VERSION);
    }
  }

  std::vector<std::string> refs() const override {
    return args_.start.is_string() ? std::vector<std::string>{args_.start.as_string()} : std::vector<std::string>{};
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ =
        args_.axis.is_none() ? axis_from_description(x, "T") : axis_of_option(x, args_.axis, context.behavior_version);
    const Dim& dim = x.dims[static_cast<size_t>(axis_)];
    const std::string name = context.absolute_name + ":sliced-time";
    if (!args_.start.is_string()) {
      const int64_t start = this->start();
      Data out = x;
      Dim& size = out.dims[static_cast<size_t>(axis_)];
      size = !args_.size.is_none() ? Dim::fixed(args_.size.as_int(), Dim::Kind::kSpatial, name)
             : start == 0          ? dim
             : dim.is_static()     ? Dim::fixed(std::max<int64_t>(dim.size() - start, 0), Dim::Kind::kSpatial, name)
                                   : dim - start;
      name_axes(context, "out_spatial_dim", {size});
      return out;
    }
    size_ = Dim::fixed(args_.size.as_int(), Dim::Kind::kSpatial, name);
    name_axes(context, "out_spatial_dim", {size_});
    Data position = context.refs.at(args_.start.as_string());
    position.dims.push_back(size_);
    gathering_ = Gathering(x, position, axis_);
    return gathering_.out_data(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput x = builder.input();
    if (!args_.start.is_string()) {
      const int64_t end = args_.size.is_none() ? INT64_MAX : start() + args_.size.as_int();
      return ops::slice(x.expr, axis_, start(), end, 1, out.dims[static_cast<size_t>(axis_)]);
    }
    Graph& graph = builder.graph();
    const LayerOutput start = builder.ref(args_.start.as_string());
    const Expr zero = ops::constant(graph, 0.0, DType::kInt32);
    Expr offset = ops::range(graph, size_);
    while (offset.rank() <= start.data.rank()) {
      offset = ops::expand_dims(offset, 0);
    }
    const Expr wanted = ops::add(ops::expand_dims(ops::cast(start.expr, DType::kInt32), start.data.rank()), offset);
    const Expr last = ops::sub(length(builder, x.data, start.data), ops::constant(graph, 1.0, DType::kInt32));
    const Expr inside = ops::binary(ops::Binary::kLogicalAnd, ops::binary(ops::Binary::kLessEqual, wanted, last),
                                    ops::binary(ops::Binary::kGreaterEqual, wanted, zero));
    const Expr index = ops::binary(ops::Binary::kMaximum, ops::binary(ops::Binary::kMinimum, wanted, last), zero);
    Data position = start.data;
    position.dims.push_back(size_);
    const Expr y = gathering_.build(x.expr, index);
    const Expr mask = align_to({position, inside}, out);
    return ops::where(mask, y, ops::constant(graph, 0.0, y.dtype()));
  }

 private:
  int64_t start() const {
    const int64_t start = args_.start.is_none() ? 0 : args_.start.as_int();
    if (start < 0) {
      throw args_.start.error("start must not be negative, got " + args_.start.repr());
    }
    return start;
  }

  /// Of the axis that is cut, in the rank of the positions.
  Expr length(LayerBuilder& builder, const Data& x, const Data& start) const {
    const Dim& dim = x.dims[static_cast<size_t>(axis_)];
    if (dim.is_static() || start.batch_axis() < 0) {
      return dim_size(builder.graph(), dim);
    }
    Expr lengths = builder.lengths(dim);
    for (int i = 0; i <= start.rank(); ++i) {
      lengths = i == start.batch_axis() ? lengths : ops::expand_dims(lengths, i);
    }
    return lengths;
  }

  SliceNdArgs args_;
  int axis_ = 0;
  Dim size_;
  Gathering gathering_;
};

const RegisterLayer<GatherLayer, GatherArgs> kRegister{
    "gather",
    {},
    "Reads its input along an axis at the positions that another layer gives.",
    {R"({"class": "gather", "axis": "F", "position": 2, "from": "data"})",
     R"({"class": "gather", "axis": "F", "position": "data:classes", "from": "data"})"}};
const RegisterLayer<SliceNdLayer, SliceNdArgs> kRegisterSliceNd{
    "slice_nd",
    {},
    "A part of an axis that starts elsewhere in each sequence.",
    {R"({"class": "slice_nd", "start": 1, "size": None, "from": "data"})",
     R"({"class": "slice_nd", "start": "data:classes", "size": 2, "from": "data"})"}};

}  // namespace
}  // namespace wende
