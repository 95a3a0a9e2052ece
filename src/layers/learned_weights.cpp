/// Layers that weigh the elements of static axes by parameters.
#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

std::vector<int> static_axes_of(const Data& x, const Value& option, int behavior_version) {
  std::vector<int> axes = axes_of_option(x, option, behavior_version);
  std::sort(axes.begin(), axes.end());
  for (const int axis : axes) {
    const Dim& dim = x.dims[static_cast<size_t>(axis)];
    if (dim.is_dynamic() || dim.is_batch()) {
      throw option.error(fmt::format("weights need axes of fixed size, got {} of {}", dim.str(), x.str()));
    }
  }
  return axes;
}

/// The sizes of these axes; `given` (or None) must say the same.
Shape sizes_of(const Data& x, const std::vector<int>& axes, const Value& given) {
  Shape sizes;
  for (const int axis : axes) {
    sizes.push_back(x.dims[static_cast<size_t>(axis)].size());
  }
  if (!given.is_none()) {
    bool same = given.is_sequence() && given.items().size() == axes.size();
    for (size_t i = 0; same && i < axes.size(); ++i) {
      same = given.items()[i].as_int() == sizes[i];
    }
    if (!same) {
      throw given.error("another size than that of the axes is not supported by Wende " WENDE_VERSION ": " + x.str());
    }
  }
  return sizes;
}

/// x times the parameter W, which has these axes and starts with this number.
Expr weighted(LayerBuilder& builder, const std::vector<int>& axes, const Value& size, double start) {
  const LayerOutput x = builder.input();
  std::vector<Dim> dims(static_cast<size_t>(x.data.rank()), Dim::fixed(1, Dim::Kind::kSpatial));
  for (const int axis : axes) {
    dims[static_cast<size_t>(axis)] = x.data.dims[static_cast<size_t>(axis)];
  }
  const Expr w = builder.param("W", sizes_of(x.data, axes, size), Value(), fmt::format("{}", start));
  return ops::mul(x.expr, ops::reshape(w, dims));
}

struct ElemwiseProdArgs {
  Value axes, size;

  template <class V>
  void fields(V& v) {
    v.field("axes", axes, "the axes that the weights have");
    v.field("size", size, "their sizes, to be checked");
  }
};

class ElemwiseProdLayer : public Layer {
 public:
  explicit ElemwiseProdLayer(ElemwiseProdArgs args) : args_(std::move(args)) {}
  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_ = static_axes_of(x, args_.axes, context.behavior_version);
    sizes_of(x, axes_, args_.size);
    return x;
  }
  Expr build(LayerBuilder& builder) override { return weighted(builder, axes_, args_.size, 1.0); }

 private:
  ElemwiseProdArgs args_;
  std::vector<int> axes_;
};

struct WeightedSumArgs {
  Value axes, padding, size, keep_dims;

  template <class V>
  void fields(V& v) {
    v.field("axes", axes, "the axes that are summed up");
    v.field("padding", padding, "of windows (size), which are not supported");
    v.field("size", size, "must be that of the axes");
    v.field("keep_dims", keep_dims, "must be False");
  }
};

class WeightedSumLayer : public Layer {
 public:
  explicit WeightedSumLayer(WeightedSumArgs args) : args_(std::move(args)) {
    if (!args_.size.is_none() || (!args_.keep_dims.is_none() && args_.keep_dims.as_bool())) {
      throw Error(ExitStatus::kConfig,
                  "weighted_sum of windows (size, keep_dims) is not supported by Wende " WENDE_VERSION);
    }
  }
  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_ = static_axes_of(x, args_.axes, context.behavior_version);
    Data out = x;
    for (size_t i = axes_.size(); i-- > 0;) {
      out = out.without_axis(axes_[i]);
    }
    if (out.feature_axis < 0) {
      Data marked = out;
      marked.set_default_marks();
      out.feature_axis = marked.feature_axis;
    }
    return out;
  }
  Expr build(LayerBuilder& builder) override {
    const Data x = builder.input().data;
    const auto count = static_cast<double>(sizes_of(x, axes_, Value()).elements());
    return ops::reduce(ops::Reduction::kSum, weighted(builder, axes_, Value(), 1.0 / count), axes_);
  }

 private:
  WeightedSumArgs args_;
  std::vector<int> axes_;
};

const RegisterLayer<ElemwiseProdLayer, ElemwiseProdArgs> kRegister{
    "elemwise_prod",
    {},
    "Multiplies elements by a parameter that has some of the axes.",
    {R"({"class": "elemwise_prod", "axes": "F", "from": "data"})"}};
const RegisterLayer<WeightedSumLayer, WeightedSumArgs> kRegisterSum{
    "weighted_sum",
    {},
    "Sums up axes with weights that are a parameter.",
    {R"({"class": "weighted_sum", "axes": "F", "from": "data"})"}};

}  // namespace
}  // namespace wende
