#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/gathering.h"

namespace wende {
namespace {

struct GatherNdArgs {
  Value position;

  template <class V>
  void fields(V& v) {
    v.field("position", position, "layer of indices into the first axis behind the batch");
  }
};

/// y[b,p...] = x[b,position[b,p...]].
class GatherNdLayer : public Layer {
 public:
  explicit GatherNdLayer(GatherNdArgs args) : args_(std::move(args)) {
    if (!args_.position.is_string()) {
      throw args_.position.error("gather_nd needs 'position': a layer, got " + args_.position.repr());
    }
  }

  std::vector<std::string> refs() const override { return {args_.position.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const Data& position = context.refs.at(args_.position.as_string());
    if (!x.has_batch() || x.rank() < 2 || (position.dtype != DType::kInt32 && position.dtype != DType::kInt64)) {
      throw context.options.error(fmt::format("gather_nd needs an input [B,T,...] and integer positions, got {} and {}",
                                              x.str(), position.str()));
    }
    order_ = order_with_first(x.rank(), {x.batch_axis()});
    position_order_ = order_with_first(position.rank(), {position.batch_axis()});
    Data positions = position.permuted(position_order_);
    if (!position.has_batch()) {
      positions = positions.with_axis(0, x.dims[static_cast<size_t>(x.batch_axis())]);
    }
    position_ = positions;
    gathering_ = Gathering(x.permuted(order_), positions, 1, true);
    Data out = gathering_.out_data(context.name);
    out.time_axis = positions.time_axis >= 0 ? positions.time_axis : out.time_axis;
    out.feature_axis = out.feature_axis == out.time_axis ? -1 : out.feature_axis;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput given = builder.ref(args_.position.as_string());
    Expr position = permute_if_needed(given.expr, position_order_);
    if (!given.data.has_batch()) {
      position = ops::broadcast_to(ops::expand_dims(position, 0), position_.dims);
    }
    return gathering_.build(permute_if_needed(builder.input().expr, order_), position);
  }

 private:
  GatherNdArgs args_;
  std::vector<int> order_, position_order_;
  Data position_;
  Gathering gathering_;
};

struct ScatterNdArgs {
  Value position, position_axis, output_dim_via_time_from, out_spatial_dim;
  bool filter_invalid_indices = false;

  template <class V>
  void fields(V& v) {
    v.field("position", position, "layer of indices into the new axis");
    v.field("position_axis", position_axis, "the axis of the positions that the new one replaces");
    v.field("output_dim_via_time_from", output_dim_via_time_from, "layer whose time axis is the new one");
    v.field("out_spatial_dim", out_spatial_dim, "not supported");
    v.field("filter_invalid_indices", filter_invalid_indices, "indices outside of the axis are left out");
  }
};

/// y[.., position[.., p], ..] += x[.., p, ..], zeros elsewhere.
class ScatterNdLayer : public Layer {
 public:
  explicit ScatterNdLayer(ScatterNdArgs args) : args_(std::move(args)) {
    if (!args_.position.is_string() || !args_.output_dim_via_time_from.is_string()) {
      throw Error(ExitStatus::kConfig, "scatter_nd needs 'position' and 'output_dim_via_time_from': layers");
    }
  }

  std::vector<std::string> refs() const override {
    return {args_.position.as_string(), args_.output_dim_via_time_from.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const Data& position = context.refs.at(args_.position.as_string());
    axis_ = axis_of_option(position, args_.position_axis, context.behavior_version);
    const Dim full = context.refs.at(args_.output_dim_via_time_from.as_string()).time_dim();
    if (!full.defined() || axis_ == position.batch_axis()) {
      throw context.options.error(
          "scatter_nd needs a layer with a time axis, and positions along another axis than "
          "the batch");
    }
    common_ = position;
    common_.dtype = x.dtype;
    common_.sparse_dim = x.sparse_dim;
    for (int axis = 0; axis < x.rank(); ++axis) {
      const Dim& dim = x.dims[static_cast<size_t>(axis)];
      bool known = false;
      for (const Dim& other : common_.dims) {
        known =
            known || dim == other || (dim.is_batch() && other.is_batch()) || (dim.is_dynamic() && dim.same_size(other));
      }
      if (!known) {
        common_.dims.push_back(dim);
      }
    }
    common_.time_axis = common_.time_axis < 0 ? axis_ : common_.time_axis;
    Data out = common_.with_name(context.name);
    out.dims[static_cast<size_t>(axis_)] = full;
    Data marked = out;
    marked.set_default_marks();
    out.feature_axis = out.sparse() || marked.feature_axis == out.time_axis ? -1 : marked.feature_axis;
    common_.feature_axis = -1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Graph& graph = builder.graph();
    const LayerOutput given = builder.ref(args_.position.as_string());
    const Dim full = out.dims[static_cast<size_t>(axis_)];
    Expr values = broadcast_to_layout(builder.input(), common_);
    Expr position = ops::cast(given.expr, DType::kInt32);
    const Expr size = dim_size(graph, full);
    if (args_.filter_invalid_indices) {
      const Expr zero = ops::int_constant(graph, 0);
      const Expr valid = ops::binary(ops::Binary::kLogicalAnd, ops::binary(ops::Binary::kGreaterEqual, position, zero),
                                     ops::binary(ops::Binary::kLess, position, size));
      Expr mask = valid;
      while (mask.rank() < values.rank()) {
        mask = ops::expand_dims(mask, mask.rank());
      }
      values = ops::where(mask, values, ops::constant(graph, 0.0));
      position = ops::where(valid, position, zero);
    }
    return scattered(values, position, size, full, out);
  }

 private:
  /// The positions' other axes as rows, each with `full` places.
  Expr scattered(Expr values, Expr position, Expr size, const Dim& full, const Data& out) const {
    Graph& graph = *values.graph;
    std::vector<int> order;
    std::vector<Dim> prefix;
    for (int i = 0; i < position.rank(); ++i) {
      if (i != axis_) {
        order.push_back(i);
        prefix.push_back(position.dim(i));
      }
    }
    order.push_back(axis_);
    position = permute_if_needed(position, order);
    const Dim per_row = position.dim(-1);
    for (int i = position.rank(); i < values.rank(); ++i) {
      order.push_back(i);
    }
    values = permute_if_needed(values, order);
    const std::vector<Dim> inner(values.dims().begin() + position.rank(), values.dims().end());
    const Dim rows = prefix.empty() ? Dim::fixed(1) : Dim::derived(Dim::Op::kMul, prefix);
    const Expr start = ops::expand_dims(ops::mul(ops::range(graph, rows), size), 1);
    const Expr index = ops::add(ops::reshape(position, {rows, per_row}), start);
    std::vector<Dim> flat{rows, per_row};
    flat.insert(flat.end(), inner.begin(), inner.end());
    const Expr sums = ops::scatter_add(ops::reshape(values, flat), index, Dim::derived(Dim::Op::kMul, {rows, full}));
    std::vector<Dim> dims = prefix;
    dims.push_back(full);
    dims.insert(dims.end(), inner.begin(), inner.end());
    const Expr y = permute_if_needed(ops::reshape(sums, dims), inverse_order(order));
    return ops::reshape(y, out.dims);
  }

  ScatterNdArgs args_;
  int axis_ = 0;
  Data common_;  ///< axes of the positions, then those that only the input has
};

const RegisterLayer<GatherNdLayer, GatherNdArgs> kRegister{
    "gather_nd",
    {},
    "Reads the first axis behind the batch at the positions that another layer gives.",
    {R"({"class": "gather_nd", "position": "data:classes", "from": "data"})"}};
const RegisterLayer<ScatterNdLayer, ScatterNdArgs> kRegisterScatter{
    "scatter_nd",
    {},
    "Adds its frames up at the positions of a new axis that another layer gives.",
    {R"({"class": "scatter_nd", "position": "data:classes", "position_axis": "T", "output_dim_via_time_from": "data", "filter_invalid_indices": True, "from": "data"})"}};

}  // namespace
}  // namespace wende
