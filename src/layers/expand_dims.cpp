#include <fmt/core.h>

#include <algorithm>

#include "base/lower_case.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/dim_tag.h"
#include "ops/check.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ExpandDimsArgs {
  Value axis, dim;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "\"feature\", \"spatial\", or the axis before which the new one goes");
    v.field("dim", dim, "size or dim tag of the new axis (1): the input is repeated along it");
  }
};

class ExpandDimsLayer : public Layer {
 public:
  explicit ExpandDimsLayer(ExpandDimsArgs args) : args_(std::move(args)) {}

  /// A new feature axis becomes the last; a new spatial one goes before the feature axis and is the time axis if there
  /// is none.
  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const bool feature = is_word({"f", "feature"});
    const bool spatial = is_word({"t", "spatial", "time"}) || args_.axis.is_none();
    order_.clear();
    if (feature) {
      at_ = x.feature_axis >= 0 ? x.feature_axis + 1 : x.rank();
    } else if (spatial) {
      at_ = x.sparse() || x.rank() == 0 ? x.rank() : x.rank() - 1;
    } else {
      at_ = counted_place(x);
      order_ = order_with_batch_at(x, 0);
    }
    const Dim::Kind kind = feature ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
    const Dim dim = new_dim(kind, context);
    Data out = (order_.empty() ? x : x.permuted(order_)).with_axis(at_, dim);
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
    const Expr x = builder.input().expr;
    const Expr y = ops::expand_dims(order_.empty() ? x : permute_if_needed(x, order_), at_);
    const Dim& dim = builder.out_data().dims[static_cast<size_t>(at_)];
    std::vector<Dim> dims = y.dims();
    dims[static_cast<size_t>(at_)] = dim;
    return dim.is_static() && dim.size() == 1 ? y : ops::broadcast_to(y, dims);
  }

 private:
  bool is_word(const std::vector<std::string>& words) const {
    if (!args_.axis.is_string()) {
      return false;
    }
    const std::string word = lower_case(args_.axis.as_string());
    return std::find(words.begin(), words.end(), word) != words.end();
  }

  /// Counted in the output with the batch axis first; negative ones from its end.
  int counted_place(const Data& x) const {
    const int64_t place = args_.axis.kind() == Value::Kind::kInt ? args_.axis.as_int() : INT64_MAX;
    const int64_t at = place < 0 ? place + x.rank() + 1 : place;
    if (at < 0 || at > x.rank()) {
      throw args_.axis.error(
          fmt::format("expand_dims: axis is \"F\", \"spatial\" or a place in {}, got {}", x.str(), args_.axis.repr()));
    }
    return static_cast<int>(at);
  }

  Dim new_dim(Dim::Kind kind, const LayerContext& context) const {
    if (args_.dim.kind() == Value::Kind::kDim) {
      for (const Data& source : context.sources) {
        if (const int axis = axis_of_tag(source, args_.dim); axis >= 0) {
          return source.dims[static_cast<size_t>(axis)];
        }
      }
      const Dim dim = dim_of_tag(args_.dim, kind);
      if (dim.is_dynamic()) {
        throw args_.dim.error("expand_dims: a dim tag without a size is not supported by Wende " WENDE_VERSION);
      }
      return dim;
    }
    const int64_t size = args_.dim.is_none() ? 1 : args_.dim.as_int();
    if (size < 1) {
      throw args_.dim.error("expand_dims: dim must be > 0, got " + args_.dim.repr());
    }
    return Dim::fixed(size, kind, context.absolute_name + ":expand_dims");
  }

  ExpandDimsArgs args_;
  std::vector<int> order_;  ///< of the input, where its batch axis moves
  int at_ = 0;
};

struct SqueezeArgs {
  Value axis, enforce_batch_dim_axis;
  bool allow_no_op = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "axes of size 1 to remove; \"auto\" = all of size 1");
    v.field("enforce_batch_dim_axis", enforce_batch_dim_axis, "where the batch axis goes before");
    v.field("allow_no_op", allow_no_op, "no error if no axis is selected");
  }
};

class SqueezeLayer : public Layer {
 public:
  explicit SqueezeLayer(SqueezeArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    Data x = concat_input_data(context.sources, context.name);
    order_.clear();
    if (!args_.enforce_batch_dim_axis.is_none()) {
      order_ = enforced_batch_order(x, args_.enforce_batch_dim_axis, args_.axis);
      x = order_.empty() ? x : x.permuted(order_);
    }
    axes_.clear();
    if (args_.axis.is_string() && args_.axis.as_string() == "auto") {
      for (const int axis : x.static_axes()) {
        if (x.dims[static_cast<size_t>(axis)].size() == 1) {
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
      if (dim.is_batch() || (dim.is_static() && dim.size() != 1)) {
        throw context.options.error(fmt::format("squeeze: axis {} of {} does not have size 1", axis, x.str()));
      }
      out = out.without_axis(axis);
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    Expr x = builder.input().expr;
    x = order_.empty() ? x : permute_if_needed(x, order_);
    for (const int axis : axes_) {
      x = ops::squeeze(x.dim(axis).is_static() ? x : only_frame(x, axis), axis);
    }
    return x;
  }

 private:
  /// An axis whose size comes with the batch, as of data with one frame per sequence: 1 is checked then.
  static Expr only_frame(Expr x, int axis) {
    const Dim dim = x.dim(axis);
    const Expr one = ops::int_constant(*x.graph, 1);
    const Expr holds = ops::binary(ops::Binary::kEqual, ops::dim_size(*x.graph, dim), one);
    const Expr first = ops::slice(x, axis, 0, 1, 1, Dim::fixed(1, dim.kind()));
    return ops::checked(first, holds, "squeeze: axis " + dim.str() + " does not have size 1");
  }

  SqueezeArgs args_;
  std::vector<int> order_;  ///< of the input, where its batch axis moves
  std::vector<int> axes_;   ///< descending
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
