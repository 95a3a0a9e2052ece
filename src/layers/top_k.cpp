#include "ops/top_k.h"

#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct TopKArgs {
  Value axis, k, k_dim;
  bool sorted = true;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis, or a tuple of axes, that is searched");
    v.field("k", k, "how many elements");
    v.field("k_dim", k_dim, "dim tag of the new axis");
    v.field("sorted", sorted, "accepted; the largest is always first");
  }
};

/// The largest elements along a new last axis; sub-layers "/indices" (one axis) or "/indices0", "/indices1", ...
class TopKLayer : public Layer {
 public:
  explicit TopKLayer(TopKArgs args) : args_(std::move(args)) {
    if (args_.k.kind() != Value::Kind::kInt) {
      throw Error(ExitStatus::kConfig, "top_k needs a number 'k'; a layer is not supported by Wende " WENDE_VERSION);
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("top_k takes one input, got {}", context.sources.size()));
    }
    const Data& x = context.sources[0];
    if (args_.axis.is_none()) {
      throw context.options.error("top_k needs 'axis'");
    }
    axes_.clear();
    if (args_.axis.is_sequence()) {
      for (const Value& item : args_.axis.items()) {
        axes_.push_back(axis_of_option(x, item, context.behavior_version));
      }
    } else {
      axes_.push_back(axis_of_option(x, args_.axis, context.behavior_version));
    }
    if (axes_.empty()) {
      throw args_.axis.error("top_k needs one axis or several, got " + args_.axis.repr());
    }
    if (args_.k.as_int() < 1) {
      throw args_.k.error(fmt::format("top_k: k must be > 0, got {}", args_.k.repr()));
    }
    for (const int axis : axes_) {
      if (axes_.size() > 1 && x.dims[static_cast<size_t>(axis)].is_dynamic()) {
        throw args_.axis.error("top_k over several axes needs axes of fixed size, got " + x.str());
      }
    }
    Data out = x.with_name(context.name);
    std::vector<int> sorted = axes_;
    std::sort(sorted.rbegin(), sorted.rend());
    for (const int axis : sorted) {
      out = out.without_axis(axis);
    }
    out.feature_axis = -1;
    out.dims.push_back(Dim::fixed(args_.k.as_int(), Dim::Kind::kSpatial, context.absolute_name + ":topk"));
    name_axes(context, "k_dim", {out.dims.back()});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput x = builder.source(0);
    const Expr values = arranged(builder, x, out);
    const ops::TopK result = ops::top_k(values, out.dims.back());
    Expr rest = result.indices;
    for (size_t i = axes_.size(); i-- > 0;) {
      const Dim& dim = x.data.dims[static_cast<size_t>(axes_[i])];
      LayerOutput indices{out, rest};
      indices.data.dtype = DType::kInt32;
      indices.data.sparse_dim = dim;
      const Expr size = i == 0 ? Expr{} : ops::int_constant(builder.graph(), dim.size());
      if (i > 0) {
        indices.expr = ops::binary(ops::Binary::kMod, rest, size);
        rest = ops::binary(ops::Binary::kFloorDiv, rest, size);
      }
      builder.add_sub_output(args_.axis.is_sequence() ? "indices" + std::to_string(i) : "indices", indices);
    }
    return result.values;
  }

 private:
  /// The searched axes last and as one, padding as small as can be.
  Expr arranged(LayerBuilder& builder, const LayerOutput& x, const Data& out) const {
    Expr value = x.expr;
    for (const int axis : axes_) {
      if (const Expr mask = axis_mask(builder, x.data, axis); mask.defined()) {
        const double lowest = value.dtype() == DType::kInt32 ? -2147483648.0 : -3.4028234663852886e38;
        value = ops::where(mask, value, ops::constant(builder.graph(), lowest, value.dtype()));
      }
    }
    std::vector<int> order;
    std::vector<Dim> last;
    for (int axis = 0; axis < x.data.rank(); ++axis) {
      if (std::find(axes_.begin(), axes_.end(), axis) == axes_.end()) {
        order.push_back(axis);
      }
    }
    for (const int axis : axes_) {
      order.push_back(axis);
      last.push_back(x.data.dims[static_cast<size_t>(axis)]);
    }
    value = permute_if_needed(value, order);
    if (last.size() > 1) {
      std::vector<Dim> dims(out.dims.begin(), out.dims.end() - 1);
      dims.push_back(Dim::derived(Dim::Op::kMul, last));
      value = ops::reshape(value, dims);
    }
    return value;
  }

  TopKArgs args_;
  std::vector<int> axes_;
};

const RegisterLayer<TopKLayer, TopKArgs> kRegister{
    "top_k",
    {},
    "The k largest elements along one or several axes, and where they are.",
    {R"({"class": "top_k", "axis": "F", "k": 2, "from": "data"})"}};

}  // namespace
}  // namespace wende
