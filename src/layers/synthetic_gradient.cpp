#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/meta_loss.h"

namespace wende {
namespace {

struct SyntheticGradientArgs {
  Value gradient;
  double meta_loss_scale = 1.0;

  template <class V>
  void fields(V& v) {
    v.field("gradient", gradient, "layer whose output is taken as the gradient of the input");
    v.field("meta_loss_scale", meta_loss_scale, "factor of the prediction's squared error in its own update");
  }
};

/// Decoupled neural interfaces (arXiv 1608.05343): the gradient that comes from above is replaced by a predicted one.
class SyntheticGradientLayer : public Layer {
 public:
  explicit SyntheticGradientLayer(SyntheticGradientArgs args) : args_(std::move(args)) {
    if (!args_.gradient.is_string()) {
      throw Error(ExitStatus::kConfig, "synthetic_gradient needs 'gradient': the name of a layer");
    }
  }

  std::vector<std::string> refs() const override { return {args_.gradient.as_string()}; }
  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const Dim size = x.feature_or_sparse_dim();
    const Data& gradient = context.refs.at(args_.gradient.as_string());
    const Dim predicted = gradient.feature_or_sparse_dim();
    if (size.defined() && predicted.defined() && size.is_static() && predicted.is_static() &&
        size.size() != predicted.size()) {
      throw args_.gradient.error(fmt::format("the gradient {} does not fit the input {}", gradient.str(), x.str()));
    }
    return x;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.input();
    const Expr gradient = align_to(builder.ref(args_.gradient.as_string()), x.data);
    return ops::synthetic_gradient(x.expr, gradient, args_.meta_loss_scale,
                                   builder.context().absolute_name + "/synthetic_grad");
  }

 private:
  SyntheticGradientArgs args_;
};

struct TikhonovArgs {
  double meta_loss_scale = 1.0;
  Value extra_deps;

  template <class V>
  void fields(V& v) {
    v.field("meta_loss_scale", meta_loss_scale, "factor of the gradient's squared norm in its own update");
    v.field("extra_deps", extra_deps, "further layers that this one waits for");
  }
};

/// Penalises the gradient of the objective with respect to the input: half its squared norm is a meta loss.
class TikhonovLayer : public Layer {
 public:
  explicit TikhonovLayer(TikhonovArgs args) : args_(std::move(args)) {}
  Data out_data(const LayerContext& context) override { return concat_input_data(context.sources, context.name); }
  Expr build(LayerBuilder& builder) override {
    // A scalar in RETURNN's Glorot range sqrt(6 / (1 + 1)); its value has no effect.
    const Expr dummy = builder.param("dummy", Shape{}, Value(), "glorot_uniform");
    return ops::tikhonov_regularized(builder.input().expr, dummy, args_.meta_loss_scale,
                                     builder.context().absolute_name + "/tikhonov_reg");
  }

 private:
  TikhonovArgs args_;
};

const RegisterLayer<SyntheticGradientLayer, SyntheticGradientArgs> kRegister{
    "synthetic_gradient",
    {},
    "Passes its input on and replaces the gradient by a predicted one, which learns from the true gradient.",
    {R"({"class": "synthetic_gradient", "gradient": "data", "from": "data"})"}};
const RegisterLayer<TikhonovLayer, TikhonovArgs> kRegisterTikhonov{
    "tikhonov_regularization",
    {},
    "Passes its input on; the squared norm of the gradient with respect to it is a further loss.",
    {R"({"class": "tikhonov_regularization", "meta_loss_scale": 0.1, "from": "data"})"}};

}  // namespace
}  // namespace wende
