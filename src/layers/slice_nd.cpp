#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/dim_tag.h"
#include "layers/gathering.h"
#include "layers/layer_names.h"
#include "ops/found_size.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct SliceNdArgs {
  Value start, size, min_size, axis, out_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("start", start, "first index: a number or a layer [B,...] (0)");
    v.field("size", size, "how many elements: a number, a dim tag or a layer [B]; None = up to the end");
    v.field("min_size", min_size, "smallest size where 'size' is no number (0)");
    v.field("axis", axis, "the axis that is cut (time)");
    v.field("out_spatial_dim", out_spatial_dim, "dim tag that the axis stands for");
  }
};

/// x[start : start + size], each sequence with a start of its own; zeros beyond its end.
class SliceNdLayer : public Layer {
 public:
  explicit SliceNdLayer(SliceNdArgs args) : args_(std::move(args)) {
    least_ = args_.min_size.is_none() ? 0 : args_.min_size.as_int();
    if (args_.size.kind() == Value::Kind::kDim) {
      const Value* size = args_.size.find("dimension");
      if (size == nullptr || size->kind() != Value::Kind::kInt) {
        throw args_.size.error("slice_nd: a dim tag as size must have a fixed size: " + tag_text(args_.size));
      }
      fixed_ = size->as_int();
    } else if (!args_.size.is_none() && !args_.size.is_string()) {
      fixed_ = args_.size.as_int();
    }
  }

  std::vector<std::string> refs() const override { return layer_names({&args_.start, &args_.size}); }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    const Dim& dim = x.dims[static_cast<size_t>(axis_)];
    const std::string name = context.absolute_name + ":sliced-time";
    if (!args_.start.is_string() && !args_.size.is_string()) {
      const int64_t start = this->start();
      Data out = x;
      Dim& size = out.dims[static_cast<size_t>(axis_)];
      size = fixed_            ? Dim::fixed(*fixed_, Dim::Kind::kSpatial, name)
             : start == 0      ? dim
             : dim.is_static() ? Dim::fixed(std::max<int64_t>(dim.size() - start, 0), Dim::Kind::kSpatial, name)
                               : dim - start;
      name_axes(context, "out_spatial_dim", {size});
      return out;
    }
    position_ = args_.start.is_string() ? context.refs.at(args_.start.as_string()) : Data();
    if (fixed_) {
      size_ = Dim::fixed(*fixed_, Dim::Kind::kSpatial, name);
    } else if (!size_.defined()) {
      check_found_size(context, x);
      size_ = Dim::dynamic(name);
    }
    name_axes(context, "out_spatial_dim", {size_});
    position_.dims.push_back(size_);
    gathering_ = Gathering(x, position_, axis_);
    Data out = gathering_.out_data(context.name);
    if (out.time_axis < 0) {
      out.time_axis = out.axis_of(size_);
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput x = builder.input();
    if (!size_.defined()) {
      const int64_t end = fixed_ ? start() + *fixed_ : INT64_MAX;
      return ops::slice(x.expr, axis_, start(), end, 1, out.dims[static_cast<size_t>(axis_)]);
    }
    Graph& graph = builder.graph();
    Data start_data = position_;
    start_data.dims.pop_back();
    const Expr start = args_.start.is_string() ? ops::cast(builder.ref(args_.start.as_string()).expr, DType::kInt32)
                                               : ops::int_constant(graph, this->start());
    const Expr zero = ops::int_constant(graph, 0);
    const Expr one = ops::int_constant(graph, 1);
    Expr offset = ops::range(graph, size_);
    while (offset.rank() <= start_data.rank()) {
      offset = ops::expand_dims(offset, 0);
    }
    const Expr wanted = ops::add(ops::expand_dims(start, start_data.rank()), offset);
    const Expr last = ops::sub(length(builder, x.data, start_data), one);
    Expr inside = ops::binary(ops::Binary::kLogicalAnd, ops::binary(ops::Binary::kLessEqual, wanted, last),
                              ops::binary(ops::Binary::kGreaterEqual, wanted, zero));
    if (!fixed_) {
      inside = ops::binary(ops::Binary::kLogicalAnd, inside, within_size(builder, x.data, start, start_data, offset));
    }
    const Expr index = ops::binary(ops::Binary::kMaximum, ops::binary(ops::Binary::kMinimum, wanted, last), zero);
    const Expr y = gathering_.build(x.expr, ops::broadcast_to(index, position_.dims));
    const Expr mask = align_to({position_, ops::broadcast_to(inside, position_.dims)}, out);
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

  /// Sizes that only the batch knows become the lengths of a new axis.
  void check_found_size(const LayerContext& context, const Data& x) const {
    const Value& place = args_.size.is_none() ? context.options : args_.size;
    if (context.loop_time.defined()) {
      throw place.error("slice_nd inside of a loop needs a number as size");
    }
    const Data size = args_.size.is_string() ? context.refs.at(args_.size.as_string()) : position_;
    if (size.rank() > 1 || (size.rank() == 1 && !size.has_batch()) || position_.rank() > 1 || !x.has_batch()) {
      throw place.error("slice_nd with a size that depends on the batch needs start and size [B], got " + size.str());
    }
  }

  /// Which offsets are below the size of their sequence; it becomes the length of the new axis.
  Expr within_size(LayerBuilder& builder, const Data& x, Expr start, const Data& start_data, Expr offset) const {
    Graph& graph = builder.graph();
    Expr size;
    if (args_.size.is_string()) {
      size = ops::cast(builder.ref(args_.size.as_string()).expr, DType::kInt32);
    } else {
      const Dim& dim = x.dims[static_cast<size_t>(axis_)];
      size = ops::sub(dim.is_dynamic() ? builder.lengths(dim) : dim_size(graph, dim), start);
    }
    size = ops::binary(ops::Binary::kMaximum, size, ops::int_constant(graph, least_));
    const Expr lengths = ops::found_lengths(size, size_);
    if (start_data.rank() == 0) {
      return ops::binary(ops::Binary::kGreaterEqual, offset, ops::int_constant(graph, 0));
    }
    return ops::binary(ops::Binary::kLess, offset, lengths.rank() == 0 ? lengths : ops::expand_dims(lengths, 1));
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
  int64_t least_ = 0;
  std::optional<int64_t> fixed_;  ///< the size, if it is a number
  Dim size_;                      ///< the new axis, unless the input's is just cut
  Data position_;                 ///< of start, and the new axis
  Gathering gathering_;
};

const RegisterLayer<SliceNdLayer, SliceNdArgs> kRegister{
    "slice_nd",
    {},
    "A part of an axis that starts elsewhere in each sequence.",
    {R"({"class": "slice_nd", "start": 1, "size": None, "from": "data"})",
     R"({"class": "slice_nd", "start": "data:classes", "size": 2, "from": "data"})",
     R"({"class": "slice_nd", "start": 1, "size": "lengths", "from": "data"})"}};

}  // namespace
}  // namespace wende
