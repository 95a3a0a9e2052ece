#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"

namespace wende {
namespace {

struct NormArgs {
  Value axis, axes, param_shape;
  bool scale = true;
  bool bias = true;
  double epsilon = 1e-6;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axes of mean and variance");
    v.field("axes", axes, "the same as axis");
    v.field("param_shape", param_shape, "axes that scale and bias have; only \"F\"");
    v.field("scale", scale, "multiplies by a parameter");
    v.field("bias", bias, "adds a parameter");
    v.field("epsilon", epsilon, "is added to the variance");
  }
};

struct LayerNormArgs {
  double epsilon = 1e-6;

  template <class V>
  void fields(V& v) {
    v.field("epsilon", epsilon, "is added to the variance");
  }
};

/// (x - mean) * rsqrt(variance + epsilon) * scale + bias. Padded frames count, as in RETURNN.
class NormLayer : public Layer {
 public:
  explicit NormLayer(NormArgs args) : args_(std::move(args)) {
    if (!args_.axes.is_none() && !args_.axis.is_none()) {
      throw args_.axes.error("axis and axes mean the same: give one of them");
    }
    if (args_.axes.is_none()) {
      args_.axes = args_.axis;
    }
    if (args_.axes.is_none()) {
      throw Error(ExitStatus::kConfig, "norm needs 'axis' or 'axes'");
    }
    const Value& shape = args_.param_shape;
    if (!shape.is_none() && !(shape.is_string() && (shape.as_string() == "F" || shape.as_string() == "f"))) {
      throw shape.error("only param_shape \"F\" is supported by Wende " WENDE_VERSION);
    }
  }
  explicit NormLayer(LayerNormArgs args) {
    args_.axes = Value::of("F");
    args_.epsilon = args.epsilon;
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_ = axes_of_option(x, args_.axes, context.behavior_version);
    if (x.feature_axis < 0) {
      throw context.options.error("a norm needs an input with a feature axis, got " + x.str());
    }
    return x;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput input = builder.input();
    const Expr mean = ops::reduce(ops::Reduction::kMean, input.expr, axes_, true);
    const Expr centred = ops::sub(input.expr, mean);
    const Expr variance = ops::reduce(ops::Reduction::kMean, ops::unary(ops::Unary::kSquare, centred), axes_, true);
    Expr y = ops::mul(centred, ops::unary(ops::Unary::kRsqrt, ops::add_scalar(variance, args_.epsilon)));
    y = args_.scale ? ops::mul(y, param(builder, "scale", "ones", input.data)) : y;
    return args_.bias ? ops::add(y, param(builder, "bias", "zeros", input.data)) : y;
  }

 private:
  static Expr param(LayerBuilder& builder, const std::string& name, const std::string& init, const Data& layout) {
    Data data;
    data.dims = {layout.dims[static_cast<size_t>(layout.feature_axis)]};
    data.feature_axis = 0;
    return align_to({data, builder.param(name, Shape{data.dims[0].size()}, Value(), init)}, layout);
  }

  NormArgs args_;
  std::vector<int> axes_;
};

struct MathNormArgs {
  Value p, axis, axes;
  bool keep_dims = false;

  template <class V>
  void fields(V& v) {
    v.field("p", p, "order of the norm; inf = largest absolute value");
    v.field("axis", axis, "the axes to reduce");
    v.field("axes", axes, "the same as axis");
    v.field("keep_dims", keep_dims, "keeps reduced axes with size 1");
  }
};

/// (sum |x|^p)^(1/p) over the axes.
class MathNormLayer : public Layer {
 public:
  explicit MathNormLayer(MathNormArgs args) : args_(std::move(args)) {
    if (!args_.axes.is_none() && !args_.axis.is_none()) {
      throw args_.axes.error("axis and axes mean the same: give one of them");
    }
    if (args_.axes.is_none()) {
      args_.axes = args_.axis;
    }
    if (args_.axes.is_none() || !args_.p.is_number()) {
      throw Error(ExitStatus::kConfig, "math_norm needs a number 'p' and 'axes'");
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axes_ = axes_of_option(x, args_.axes, context.behavior_version);
    Data out = x;
    std::vector<int> sorted = axes_;
    std::sort(sorted.rbegin(), sorted.rend());
    for (const int axis : sorted) {
      if (args_.keep_dims) {
        Dim& dim = out.dims[static_cast<size_t>(axis)];
        dim = Dim::fixed(1, axis == x.feature_axis ? Dim::Kind::kFeature : Dim::Kind::kSpatial,
                         context.absolute_name + ":reduced");
      } else {
        out = out.without_axis(axis);
      }
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput x = builder.input();
    Expr size = ops::unary(ops::Unary::kAbs, x.expr);
    for (const int axis : axes_) {
      const Expr mask = axis_mask(builder, x.data, axis);
      size = mask.defined() ? ops::where(mask, size, ops::constant(builder.graph(), 0.0)) : size;
    }
    const double p = args_.p.as_float();
    if (std::isinf(p)) {
      return ops::reduce(ops::Reduction::kMax, size, axes_, args_.keep_dims);
    }
    if (p == 2) {
      const Expr sum = ops::reduce(ops::Reduction::kSum, ops::unary(ops::Unary::kSquare, size), axes_, args_.keep_dims);
      return ops::unary(ops::Unary::kSqrt, sum);
    }
    if (p != 1) {
      size = ops::binary(ops::Binary::kPow, size, ops::constant(builder.graph(), p));
    }
    const Expr sum = ops::reduce(ops::Reduction::kSum, size, axes_, args_.keep_dims);
    return p == 1 ? sum : ops::binary(ops::Binary::kPow, sum, ops::constant(builder.graph(), 1 / p));
  }

 private:
  MathNormArgs args_;
  std::vector<int> axes_;
};

const RegisterLayer<NormLayer, NormArgs> kRegister{
    "norm",
    {},
    "Zero mean and unit variance over axes, then scale and bias.",
    {R"({"class": "norm", "axes": "F", "from": "data"})", R"({"class": "norm", "axes": "T", "from": "data"})"}};
const RegisterLayer<NormLayer, LayerNormArgs> kRegisterLayerNorm{
    "layer_norm", {}, "The norm over features of each frame.", {R"({"class": "layer_norm", "from": "data"})"}};
const RegisterLayer<MathNormLayer, MathNormArgs> kRegisterMathNorm{
    "math_norm", {}, "The p-norm over axes.", {R"({"class": "math_norm", "p": 2, "axes": "F", "from": "data"})"}};

}  // namespace
}  // namespace wende
