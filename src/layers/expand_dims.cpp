#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ExpandDimsArgs {
  Value axis, dim;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "\"feature\", \"spatial\", or the axis before which the new one goes");
    v.field("dim", dim, "size of the new axis; must be 1");
  }
};

class ExpandDimsLayer : public Layer {
 public:
  explicit ExpandDimsLayer(ExpandDimsArgs args) : args_(std::move(args)) {}

  /// A new feature axis becomes the last; a new spatial one goes before the feature axis and is the time axis if there
  /// is none.
  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const bool feature = is_word("F") || is_word("f") || is_word("feature");
    const bool spatial = is_word("T") || is_word("spatial") || is_word("time") || args_.axis.is_none();
    if (feature) {
      at_ = x.feature_axis >= 0 ? x.feature_axis + 1 : x.rank();
    } else if (spatial) {
      at_ = x.feature_axis >= 0 ? x.feature_axis : x.rank();
    } else {
      at_ = axis_of_option(x, args_.axis, context.behavior_version);
    }
    const Dim::Kind kind = feature ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
    Data out = x.with_axis(at_, Dim::fixed(1, kind, context.absolute_name + ":expand_dims"));
    if (feature && !out.sparse()) {
      out.feature_axis = at_;
    }
    if (spatial && out.time_axis < 0) {
      out.time_axis = at_;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    return ops::expand_dims(builder.input().expr, at_);
  }

 private:
  bool is_word(const char* word) const { return args_.axis.is_string() && args_.axis.as_string() == word; }

  ExpandDimsArgs args_;
  int at_ = 0;
};

struct SqueezeArgs {
  Value axis, enforce_batch_dim_axis;
  bool allow_no_op = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "axes of size 1 to remove; \"auto\" = all of size 1 but batch and feature");
    v.field("enforce_batch_dim_axis", enforce_batch_dim_axis, "accepted; has no effect");
    v.field("allow_no_op", allow_no_op, "no error if no axis is selected");
  }
};

class SqueezeLayer : public Layer {
 public:
  explicit SqueezeLayer(SqueezeArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_.clear();
    if (args_.axis.is_string() && args_.axis.as_string() == "auto") {
      for (const int axis : x.static_axes()) {
        if (x.dims[static_cast<size_t>(axis)].size() == 1 && axis != x.feature_axis) {
          axes_.push_back(axis);
        }
      }
    } else {
      axes_ = axes_of_option(x, args_.axis, context.behavior_version);
    }
    if (axes_.empty() && !args_.allow_no_op) {
      throw context.options.error("squeeze: no axis of size 1 in " + x.str());
    }
    std::sort(axes_.rbegin(), axes_.rend());
    Data out = x;
    for (const int axis : axes_) {
      const Dim& dim = x.dims[static_cast<size_t>(axis)];
      if (dim.is_dynamic() || dim.is_batch() || dim.size() != 1) {
        throw context.options.error(fmt::format("squeeze: axis {} of {} does not have size 1", axis, x.str()));
      }
      out = out.without_axis(axis);
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    Expr x = builder.input().expr;
    for (const int axis : axes_) {
      x = ops::squeeze(x, axis);
    }
    return x;
  }

 private:
  SqueezeArgs args_;
  std::vector<int> axes_;  ///< descending
};

const RegisterLayer<ExpandDimsLayer, ExpandDimsArgs> kRegister{
    "expand_dims",
    {},
    "Inserts an axis of size 1.",
    {R"({"class": "expand_dims", "axis": "spatial", "from": "data"})"}};
const RegisterLayer<SqueezeLayer, SqueezeArgs> kRegisterSqueeze{
    "squeeze",
    {},
    "Removes axes of size 1.",
    {R"({"class": "squeeze", "axis": "auto", "allow_no_op": True, "from": "data"})"}};

}  // namespace
}  // namespace wende
