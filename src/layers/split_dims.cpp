#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/dim_tag.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct SplitDimsArgs {
  Value axis, dims, pad_to_multiples, pad_value;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that is split");
    v.field("dims", dims, "sizes or dim tags of the new axes; one may be -1");
    v.field("pad_to_multiples", pad_to_multiples, "pads the axis so that it can be split (True on dynamic axes)");
    v.field("pad_value", pad_value, "what is padded (0)");
  }
};

/// A split feature axis leaves the mark on the last part; any other mark stays on the first.
class SplitDimsLayer : public Layer {
 public:
  explicit SplitDimsLayer(SplitDimsArgs args) : args_(std::move(args)) {
    if (!args_.dims.is_sequence() || args_.dims.items().empty()) {
      throw args_.dims.error("dims is a tuple of sizes, got " + args_.dims.repr());
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data source = concat_input_data(context.sources, context.name);
    order_ = counts_axes(args_.axis) ? order_with_batch_at(source, 0) : std::vector<int>();
    const Data x = order_.empty() ? source : source.permuted(order_);
    axis_ = axis_of_option(x, args_.axis, context.behavior_version);
    const Dim& dim = x.dims[static_cast<size_t>(axis_)];
    const int count = static_cast<int>(args_.dims.items().size());
    multiple_ = 1;
    int open = -1;
    for (int i = 0; i < count; ++i) {
      const int64_t size = part_size(i);
      if (size == 0 || size < -1 || (size == -1 && open >= 0)) {
        throw args_.dims.error("dims has positive sizes and at most one -1, got " + args_.dims.repr());
      }
      open = size == -1 ? i : open;
      multiple_ *= size == -1 ? 1 : size;
    }
    const Dim rest = open_dim(dim, open, context);
    Data out = x.without_axis(axis_);
    for (int i = count - 1; i >= 0; --i) {
      out = out.with_axis(axis_, i == open ? rest : part(x, i, i == count - 1, context));
    }
    for (int i = 0; i < count; ++i) {
      if (args_.dims.items()[static_cast<size_t>(i)].kind() == Value::Kind::kDim) {
        declare_tag(out.dims[static_cast<size_t>(axis_ + i)], args_.dims.items()[static_cast<size_t>(i)]);
      }
    }
    out.feature_axis = axis_ == x.feature_axis ? axis_ + count - 1 : out.feature_axis;
    out.time_axis = axis_ == x.time_axis ? axis_ : out.time_axis;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    Expr x = order_.empty() ? builder.input().expr : permute_if_needed(builder.input().expr, order_);
    if (pads_) {
      const Dim padded = builder.out_data().dims[static_cast<size_t>(axis_ + open_)] * multiple_;
      const double value = args_.pad_value.is_none() ? 0.0 : args_.pad_value.as_float();
      // Enough frames for the next multiple, whatever the length; then as many rows as the split needs.
      x = ops::pad(x, axis_, 0, multiple_ - 1, value, x.dim(axis_) + (multiple_ - 1));
      x = gather_along(x, axis_, ops::range(builder.graph(), padded));
    }
    return ops::reshape(x, builder.out_data().dims);
  }

 private:
  /// A number, or the size of a dim tag; a tag without size takes what is left.
  int64_t part_size(int i) const {
    const Value& entry = args_.dims.items()[static_cast<size_t>(i)];
    if (entry.kind() != Value::Kind::kDim) {
      return entry.as_int();
    }
    const Value* size = entry.find("dimension");
    return size && size->is_number() ? size->as_int() : -1;
  }

  Dim part(const Data& x, int i, bool last, const LayerContext& context) const {
    const bool feature = axis_ == x.feature_axis && last;
    return Dim::fixed(part_size(i), feature ? Dim::Kind::kFeature : Dim::Kind::kSpatial,
                      fmt::format("{}:split_dims{}", context.absolute_name, i));
  }

  /// The dim of the -1 entry; checks that the split is possible.
  Dim open_dim(const Dim& dim, int open, const LayerContext& context) {
    pads_ = dim.is_dynamic() && multiple_ > 1;
    if (dim.is_dynamic()) {
      if (open < 0) {
        throw args_.dims.error("a dynamic axis is split with one -1 in dims, got " + args_.dims.repr());
      }
      open_ = open;
      return multiple_ == 1 ? dim : ceil_div(dim, multiple_);
    }
    if (open < 0 ? dim.size() != multiple_ : dim.size() % multiple_ != 0) {
      throw args_.dims.error(fmt::format("an axis of size {} does not split into {}", dim.size(), args_.dims.repr()));
    }
    const bool last = open + 1 == static_cast<int>(args_.dims.items().size());
    return Dim::fixed(dim.size() / multiple_, last ? dim.kind() : Dim::Kind::kSpatial,
                      fmt::format("{}:split_dims{}", context.absolute_name, open));
  }

  SplitDimsArgs args_;
  std::vector<int> order_;  ///< of the input, where its batch axis moves
  int axis_ = 0;
  int open_ = 0;  ///< which part a dynamic axis is left to
  int64_t multiple_ = 1;
  bool pads_ = false;
};

const RegisterLayer<SplitDimsLayer, SplitDimsArgs> kRegister{
    "split_dims",
    {},
    "Makes several axes of one.",
    {R"({"class": "split_dims", "axis": "F", "dims": (1, -1), "from": "data"})",
     R"({"class": "split_dims", "axis": "T", "dims": (-1, 2), "from": "data"})"}};

}  // namespace
}  // namespace wende
