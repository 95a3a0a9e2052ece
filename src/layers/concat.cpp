#include <fmt/core.h>

#include <algorithm>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct ConcatArgs {
  bool allow_broadcast = false;

  template <class V>
  void fields(V& v) {
    v.field("allow_broadcast", allow_broadcast, "sources may lack axes that others have");
  }
};

/// "from" is a list of (layer, axis) pairs. Padded frames stay where they are, as in RETURNN.
class ConcatLayer : public Layer {
 public:
  explicit ConcatLayer(ConcatArgs args) : args_(args) {}

  Data out_data(const LayerContext& context) override {
    const Value& from = *context.options.find("from");
    parts_.clear();
    std::vector<Dim> dims;
    for (size_t i = 0; i < context.sources.size(); ++i) {
      const Value& pair = from.items().at(i);
      parts_.push_back(axis_of_option(context.sources[i], pair.items()[1], context.behavior_version));
      dims.push_back(context.sources[i].dims[static_cast<size_t>(parts_.back())]);
    }
    if (dims.empty()) {
      throw context.options.error("concat needs sources");
    }
    const Dim joined = join(dims, context.absolute_name);
    std::vector<Data> sources = context.sources;
    for (size_t i = 0; i < sources.size(); ++i) {
      sources[i].dims[static_cast<size_t>(parts_[i])] = joined;
      if (!args_.allow_broadcast && sources[i].rank() != sources[0].rank()) {
        throw context.options.error(fmt::format("concat: {} and {} have different axes; see allow_broadcast",
                                                context.sources[0].str(), context.sources[i].str()));
      }
    }
    Data out = common_layout(sources, context.name);
    axis_ = out.axis_of(joined);
    name_axes(context, "out_dim", {joined});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    std::vector<Expr> parts;
    for (int i = 0; i < builder.source_count(); ++i) {
      const LayerOutput source = builder.source(i);
      Data layout = out;
      layout.dims[static_cast<size_t>(axis_)] = source.data.dims[static_cast<size_t>(parts_[static_cast<size_t>(i)])];
      parts.push_back(broadcast_to_layout(source, layout));
    }
    return ops::concat(parts, axis_, out.dims[static_cast<size_t>(axis_)]);
  }

 private:
  static Dim join(const std::vector<Dim>& dims, const std::string& name) {
    const bool fixed = std::all_of(dims.begin(), dims.end(), [](const Dim& dim) { return dim.is_static(); });
    if (!fixed) {
      return Dim::derived(Dim::Op::kAdd, dims, dims[0].kind());
    }
    int64_t size = 0;
    for (const Dim& dim : dims) {
      size += dim.size();
    }
    return Dim::fixed(size, dims[0].kind(), name + ":concat");
  }

  ConcatArgs args_;
  std::vector<int> parts_;  ///< the axis of each source
  int axis_ = 0;
};

struct StackArgs {
  Value axis, out_spatial_dim;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "place of the new axis as a number (before the feature axis)");
    v.field("out_spatial_dim", out_spatial_dim, "dim tag of the new axis");
  }
};

/// The sources along a new axis.
class StackLayer : public Layer {
 public:
  explicit StackLayer(StackArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data common = common_layout(context.sources, context.name);
    const int last = common.feature_axis == common.rank() - 1 ? common.rank() - 1 : common.rank();
    axis_ = args_.axis.is_none() ? last : static_cast<int>(args_.axis.as_int());
    if (axis_ < 0 || axis_ > common.rank()) {
      throw args_.axis.error(fmt::format("there is no place {} in {}", axis_, common.str()));
    }
    const auto count = static_cast<int64_t>(context.sources.size());
    const Dim stacked = Dim::fixed(count, Dim::Kind::kSpatial, context.absolute_name + ":stack");
    name_axes(context, "out_spatial_dim", {stacked});
    return common.with_axis(axis_, stacked);
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Data layout = out.without_axis(axis_);
    std::vector<Expr> parts;
    for (int i = 0; i < builder.source_count(); ++i) {
      parts.push_back(ops::expand_dims(broadcast_to_layout(builder.source(i), layout), axis_));
    }
    return ops::concat(parts, axis_, out.dims[static_cast<size_t>(axis_)]);
  }

 private:
  StackArgs args_;
  int axis_ = 0;
};

struct SplitArgs {
  Value axis, num_splits, size_splits, out_dims;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that is cut (feature)");
    v.field("num_splits", num_splits, "how many equal parts");
    v.field("size_splits", size_splits, "the sizes of the parts");
    v.field("out_dims", out_dims, "the dims of the parts");
  }
};

/// The input; its parts are the sub-layers "/0", "/1", ...
class SplitLayer : public Layer {
 public:
  explicit SplitLayer(SplitArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ =
        args_.axis.is_none() ? axis_from_description(x, "F") : axis_of_option(x, args_.axis, context.behavior_version);
    const Dim& dim = x.dims[static_cast<size_t>(axis_)];
    if (dim.is_dynamic() || dim.is_batch()) {
      throw context.options.error("split needs an axis of fixed size, got " + x.str());
    }
    sizes_.clear();
    if (!args_.num_splits.is_none()) {
      const int64_t parts = args_.num_splits.as_int();
      if (parts < 1 || dim.size() % parts != 0) {
        throw args_.num_splits.error(fmt::format("an axis of size {} has no {} equal parts", dim.size(), parts));
      }
      sizes_.assign(static_cast<size_t>(parts), dim.size() / parts);
    } else {
      const Value& sizes = args_.size_splits.is_none() ? args_.out_dims : args_.size_splits;
      if (!sizes.is_sequence()) {
        throw context.options.error("split needs num_splits, size_splits or out_dims");
      }
      int64_t sum = 0;
      for (const Value& item : sizes.items()) {
        const Value* size = item.kind() == Value::Kind::kDim ? item.find("dimension") : &item;
        sizes_.push_back(size == nullptr ? 0 : size->as_int());
        sum += sizes_.back();
      }
      if (sum != dim.size()) {
        throw sizes.error(fmt::format("parts {} do not add up to the axis of size {}", sizes.repr(), dim.size()));
      }
    }
    return x;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput x = builder.input();
    const Dim& dim = x.data.dims[static_cast<size_t>(axis_)];
    int64_t begin = 0;
    for (size_t i = 0; i < sizes_.size(); ++i) {
      const std::string key = std::to_string(i);
      LayerOutput part{x.data.with_name(builder.context().name + "/" + key), {}};
      Dim& out = part.data.dims[static_cast<size_t>(axis_)];
      out = Dim::fixed(sizes_[i], dim.kind(), builder.context().absolute_name + "_split" + key);
      part.expr = ops::slice(x.expr, axis_, begin, begin + sizes_[i], 1, out);
      begin += sizes_[i];
      builder.add_sub_output(key, part);
    }
    return x.expr;
  }

 private:
  SplitArgs args_;
  int axis_ = 0;
  std::vector<int64_t> sizes_;
};

const RegisterLayer<ConcatLayer, ConcatArgs> kRegister{
    "concat",
    {},
    "Concatenates its sources, each along an axis of its own: \"from\" is a list of (layer, axis).",
    {R"({"class": "concat", "from": [("data", "F"), ("data", "F")]})",
     R"({"class": "concat", "from": [("data", "T"), ("data", "T")]})"}};
const RegisterLayer<StackLayer, StackArgs> kRegisterStack{
    "stack", {}, "Its sources along a new axis.", {R"({"class": "stack", "from": ["data", "data"]})"}};
const RegisterLayer<SplitLayer, SplitArgs> kRegisterSplit{
    "split",
    {},
    "Its input, and the parts of it as sub-layers \"/0\", \"/1\", ...",
    {R"({"class": "split", "size_splits": (2, 3), "from": "data"})"}};

}  // namespace
}  // namespace wende
