#include <fmt/core.h>

#include "layers/activation.h"
#include "layers/alignment.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/gather.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct LinearArgs {
  Value activation, forward_weights_init, bias_init;
  bool with_bias = true;
  bool use_transposed_weights = false;

  template <class V>
  void fields(V& v) {
    v.field("activation", activation, "function of the output, e.g. \"relu\"; None = identity");
    v.field("with_bias", with_bias, "adds a bias");
    v.field("forward_weights_init", forward_weights_init, "initialiser of W (glorot_uniform)");
    v.field("bias_init", bias_init, "initialiser of the bias (0)");
    v.field("use_transposed_weights", use_transposed_weights, "W is stored as [out,in]");
  }
};

class LinearLayer : public Layer {
 public:
  explicit LinearLayer(LinearArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    if (!context.n_out) {
      throw context.options.error("n_out missing and cannot be derived: layer '" + context.name +
                                  "' has neither n_out, out_dim nor a target");
    }
    const Data input = concat_input_data(context.sources, context.name);
    input_size(input);
    return with_feature_size(input, *context.n_out, context.absolute_name + ":feature-dense").with_name(context.name);
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput input = builder.input();
    const Data& out = builder.out_data();
    const int64_t n_in = input_size(input.data);
    const int64_t n_out = out.dims[static_cast<size_t>(out.feature_axis)].size();
    const bool transposed = args_.use_transposed_weights;
    const Expr weights = builder.param("W", transposed ? Shape{n_out, n_in} : Shape{n_in, n_out},
                                       args_.forward_weights_init, "glorot_uniform");
    const Expr bias = args_.with_bias ? builder.param("b", Shape{n_out}, args_.bias_init, "zeros") : Expr{};
    Expr y =
        input.data.sparse() ? rows(input.expr, weights, bias, transposed) : product(input, weights, bias, transposed);
    add_logits(builder, args_.activation, y);
    return apply_activation(args_.activation, y, out.feature_axis);
  }

 protected:
  LinearArgs args_;

 private:
  static Expr rows(Expr indices, Expr weights, Expr bias, bool transposed) {
    const Expr table = transposed ? permute_if_needed(weights, {1, 0}) : weights;
    Expr y = ops::look_up(table, indices);
    if (!bias.defined()) {
      return y;
    }
    return ops::add(y, align_to({bias_data(bias), bias}, layout_of(y)));
  }

  static Expr product(const LayerOutput& input, Expr weights, Expr bias, bool transposed) {
    const std::vector<int> order = order_with_last(input.data.rank(), input.data.feature_axis);
    const Expr y = ops::linear(permute_if_needed(input.expr, order), weights, bias, transposed);
    return permute_if_needed(y, inverse_order(order));
  }

  static Data bias_data(Expr bias) {
    Data data;
    data.dims = bias.dims();
    data.feature_axis = 0;
    return data;
  }

  static Data layout_of(Expr y) {
    Data data;
    data.dims = y.dims();
    data.feature_axis = y.rank() - 1;
    return data;
  }
};

class SoftmaxLayer : public LinearLayer {
 public:
  explicit SoftmaxLayer(LinearArgs args) : LinearLayer(std::move(args)) {
    if (args_.activation.is_none()) {
      args_.activation = Value::of("softmax");
    }
  }
};

const RegisterLayer<LinearLayer, LinearArgs> kRegister{
    "linear",
    {"hidden", "forward"},
    "Product with a matrix plus bias and activation; rows of the matrix for sparse input.",
    {R"({"class": "linear", "activation": "relu", "n_out": 4, "from": "data"})",
     R"({"class": "linear", "activation": None, "with_bias": False, "n_out": 4, "from": "data:classes"})"}};
const RegisterLayer<SoftmaxLayer, LinearArgs> kRegisterSoftmax{
    "softmax",
    {},
    "A linear layer with softmax activation; its losses use the logits.",
    {R"({"class": "softmax", "loss": "ce", "target": "classes", "from": "data"})"}};

}  // namespace
}  // namespace wende
