#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct MergeDimsArgs {
  Value axes, keep_order, enforce_batch_dim_axis;

  template <class V>
  void fields(V& v) {
    v.field("axes", axes, "the axes that become one");
    v.field("keep_order", keep_order, "merges in the order of axes, not of the input (from behavior_version 6 on)");
    v.field("enforce_batch_dim_axis", enforce_batch_dim_axis, "accepted; has no effect");
  }
};

/// [B,T,w,F] with "static" -> [B,T,w*F]: the merged axis takes every role among them; it stands where the feature axis
/// was among the others, or in the place of the first one.
class MergeDimsLayer : public Layer {
 public:
  explicit MergeDimsLayer(MergeDimsArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_ = axes_of_option(x, args_.axes, context.behavior_version);
    const bool keep = args_.keep_order.is_none() ? context.behavior_version >= 6 : args_.keep_order.as_bool();
    if (!keep || !args_.axes.is_sequence()) {
      std::sort(axes_.begin(), axes_.end());
    }
    if (!keep && has(x.batch_axis())) {  // outermost, wherever it was: split_batch_time relies on that
      std::rotate(axes_.begin(), std::find(axes_.begin(), axes_.end(), x.batch_axis()),
                  std::find(axes_.begin(), axes_.end(), x.batch_axis()) + 1);
    }
    if (axes_.size() < 2) {
      order_.clear();
      return x;
    }
    order_.clear();
    for (int axis = 0; axis < x.rank(); ++axis) {
      if (!has(axis)) {
        order_.push_back(axis);
      }
    }
    int place = *std::min_element(axes_.begin(), axes_.end());
    if (has(x.feature_axis)) {
      place = x.feature_axis - static_cast<int>(std::count_if(axes_.begin(), axes_.end(),
                                                              [&](int axis) { return axis < x.feature_axis; }));
    }
    order_.insert(order_.begin() + place, axes_.begin(), axes_.end());
    const Data out = merged(x, place, context.absolute_name);
    name_axes(context, "out_dim", {out.dims[static_cast<size_t>(place)]});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const Expr x = builder.input().expr;
    return order_.empty() ? x : ops::reshape(permute_if_needed(x, order_), builder.out_data().dims);
  }

 private:
  Data merged(const Data& x, int place, const std::string& name) const {
    const bool batch = has(x.batch_axis());
    const bool feature = has(x.feature_axis) && !batch;
    const bool time = has(x.time_axis) && !batch;
    Data out = x.permuted(order_);
    std::vector<Dim> parts(out.dims.begin() + place, out.dims.begin() + place + static_cast<long>(axes_.size()));
    for (size_t i = 0; i < axes_.size(); ++i) {
      out = out.without_axis(place);
    }
    const Dim::Kind kind = batch ? Dim::Kind::kBatch : feature ? Dim::Kind::kFeature : Dim::Kind::kSpatial;
    out = out.with_axis(place, product(parts, kind, name + ":merged"));
    out.feature_axis = feature && !x.sparse() ? place : out.feature_axis;
    out.time_axis = time ? place : out.time_axis;
    if (batch && out.time_axis < 0 && has(x.time_axis)) {
      const std::vector<int> dynamic = out.dynamic_axes();
      out.time_axis = dynamic.empty() ? -1 : dynamic.front();
    }
    return out;
  }

  static Dim product(const std::vector<Dim>& parts, Dim::Kind kind, const std::string& name) {
    const bool fixed = std::all_of(parts.begin(), parts.end(), [](const Dim& d) { return d.is_static(); });
    if (!fixed) {
      return Dim::derived(Dim::Op::kMul, parts, kind, name);
    }
    int64_t size = 1;
    for (const Dim& part : parts) {
      size *= part.size();
    }
    return Dim::fixed(size, kind, name);
  }

  bool has(int axis) const { return axis >= 0 && std::find(axes_.begin(), axes_.end(), axis) != axes_.end(); }

  MergeDimsArgs args_;
  std::vector<int> axes_;
  std::vector<int> order_;  ///< empty: nothing to merge
};

struct CombineDimsArgs {
  Value axes, enforce_batch_dim_axis;

  template <class V>
  void fields(V& v) {
    v.field("axes", axes, "the axes that become one, in this order");
    v.field("enforce_batch_dim_axis", enforce_batch_dim_axis, "accepted; has no effect");
  }
};

class CombineDimsLayer : public MergeDimsLayer {
 public:
  explicit CombineDimsLayer(const CombineDimsArgs& args) : MergeDimsLayer({args.axes, Value::of(true), Value()}) {}
};

const RegisterLayer<CombineDimsLayer, CombineDimsArgs> kRegisterCombine{
    "combine_dims",
    {},
    "merge_dims with keep_order.",
    {R"({"class": "combine_dims", "axes": ["F", "T"], "from": "data"})"}};
const RegisterLayer<MergeDimsLayer, MergeDimsArgs> kRegister{
    "merge_dims",
    {},
    "Makes one axis of several.",
    {R"({"class": "merge_dims", "axes": ["T", "F"], "from": "data"})",
     R"({"class": "merge_dims", "axes": "static", "from": "data"})"}};

}  // namespace
}  // namespace wende
