#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "layers/axis_option.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct RangeArgs {
  Value limit, start, delta, dtype, out_spatial_dim;
  bool sparse = false;

  template <class V>
  void fields(V& v) {
    v.field("limit", limit, "end, not included");
    v.field("start", start, "first number (0)");
    v.field("delta", delta, "distance (1)");
    v.field("dtype", dtype, "int32, or float32 if a number has a fraction");
    v.field("sparse", sparse, "the numbers are indices");
    v.field("out_spatial_dim", out_spatial_dim, "dim tag of the axis");
  }
};

/// Numbers from start up to limit.
class RangeLayer : public Layer {
 public:
  explicit RangeLayer(RangeArgs args) : args_(std::move(args)) {
    if (!args_.limit.is_number()) {
      throw args_.limit.error("range needs a number 'limit', got " + args_.limit.repr());
    }
  }

  Data out_data(const LayerContext& context) override {
    start_ = args_.start.is_none() ? 0.0 : args_.start.as_float();
    delta_ = args_.delta.is_none() ? 1.0 : args_.delta.as_float();
    if (delta_ == 0) {
      throw args_.delta.error("delta must not be 0");
    }
    const auto count = static_cast<int64_t>(std::ceil((args_.limit.as_float() - start_) / delta_));
    const bool whole = start_ == std::floor(start_) && delta_ == std::floor(delta_) &&
                       args_.limit.as_float() == std::floor(args_.limit.as_float());
    Data out;
    out.name = context.name;
    out.dtype = args_.dtype.is_string() ? dtype_from_name(args_.dtype.as_string())
                : whole                 ? DType::kInt32
                                        : DType::kFloat32;
    out.dims = {Dim::fixed(std::max<int64_t>(count, 0), Dim::Kind::kSpatial, context.absolute_name + ":range")};
    name_axes(context, "out_spatial_dim", out.dims);
    if (args_.sparse) {
      out.sparse_dim = Dim::fixed(std::max<int64_t>(count, 0), Dim::Kind::kSpatial, context.absolute_name + ":indices");
    } else {
      out.feature_axis = 0;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    Graph& graph = builder.graph();
    const Expr index = ops::cast(ops::range(graph, out.dims[0]), out.dtype);
    return ops::add(ops::mul(index, ops::constant(graph, delta_, out.dtype)), ops::constant(graph, start_, out.dtype));
  }

 private:
  RangeArgs args_;
  double start_ = 0;
  double delta_ = 1;
};

struct RangeInAxisArgs {
  Value axis, unbroadcast, keepdims;
  std::string dtype = "int32";
  bool sparse = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that is counted; or \"sparse_dim\"");
    v.field("dtype", dtype, "of the result");
    v.field("sparse", sparse, "the numbers are indices into the axis");
    v.field("unbroadcast", unbroadcast, "must be False, as in RETURNN");
    v.field("keepdims", keepdims, "must be False, as in RETURNN");
  }
};

/// 0, 1, ... along an axis of the input, and only that axis.
class RangeInAxisLayer : public Layer {
 public:
  explicit RangeInAxisLayer(RangeInAxisArgs args) : args_(std::move(args)) {
    for (const Value* option : {&args_.unbroadcast, &args_.keepdims}) {
      if (!option->is_none() && option->as_bool()) {
        throw option->error("range_in_axis takes neither unbroadcast nor keepdims");
      }
    }
  }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1 || args_.axis.is_none()) {
      throw context.options.error("range_in_axis needs one input and 'axis'");
    }
    const Data& x = context.sources[0];
    const bool classes = args_.axis.is_string() && args_.axis.as_string() == "sparse_dim";
    if (classes && !x.sparse()) {
      throw args_.axis.error("the input is not sparse: " + x.str());
    }
    const Dim dim =
        classes ? x.sparse_dim : x.dims[static_cast<size_t>(axis_of_option(x, args_.axis, context.behavior_version))];
    Data out;
    out.name = context.name;
    out.dtype = dtype_from_name(args_.dtype);
    out.dims = {dim};
    out.sparse_dim = args_.sparse ? dim : Dim();
    out.time_axis = dim.is_dynamic() && !dim.is_batch() ? 0 : -1;
    out.feature_axis = dim.is_static() && !dim.is_batch() && !args_.sparse ? 0 : -1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    return ops::cast(ops::range(builder.graph(), out.dims[0]), out.dtype);
  }

 private:
  RangeInAxisArgs args_;
};

const RegisterLayer<RangeLayer, RangeArgs> kRegister{
    "range",
    {},
    "Numbers from start up to limit.",
    {R"({"class": "range", "limit": 5, "is_output_layer": True})",
     R"({"class": "range", "start": 1, "limit": 2, "delta": 0.25, "is_output_layer": True})"}};
const RegisterLayer<RangeInAxisLayer, RangeInAxisArgs> kRegisterInAxis{
    "range_in_axis",
    {},
    "0, 1, ... along an axis of its input.",
    {R"({"class": "range_in_axis", "axis": "T", "from": "data"})"}};

}  // namespace
}  // namespace wende
