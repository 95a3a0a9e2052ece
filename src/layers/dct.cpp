#include <fmt/core.h>

#include <cmath>

#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct DctArgs {
  int64_t type = 2;
  Value n, norm;

  template <class V>
  void fields(V& v) {
    v.field("type", type, "1 to 4, as SciPy counts them (1: two features at least)");
    v.field("n", n, "must be None, as in RETURNN");
    v.field("norm", norm, "None or \"ortho\" (not for type 1)");
  }
};

/// Discrete cosine transform of the features, [B,...,F].
class DctLayer : public Layer {
 public:
  explicit DctLayer(DctArgs args) : args_(std::move(args)) {
    if (!args_.n.is_none()) {
      throw args_.n.error("dct: n must be None");
    }
    ortho_ = args_.norm.is_string() && args_.norm.as_string() == "ortho";
    if (!args_.norm.is_none() && !ortho_) {
      throw args_.norm.error("dct: norm is None or \"ortho\", got " + args_.norm.repr());
    }
    if (args_.type < 1 || args_.type > 4 || (args_.type == 1 && ortho_)) {
      throw Error(ExitStatus::kConfig,
                  fmt::format("dct: type {}{} does not exist", args_.type, ortho_ ? " ortho" : ""));
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (!x.has_batch() || x.sparse() || x.feature_axis < 0 || (args_.type == 1 && input_size(x) < 2)) {
      throw context.options.error("dct needs an input [B,...,F], got " + x.str());
    }
    return x.permuted(batch_first(x));
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.input();
    const Dim& features = x.data.dims[static_cast<size_t>(x.data.feature_axis)];
    const Expr matrix = ops::constant_array(builder.graph(), coefficients(features.size()), {features, features});
    return ops::linear(ops::permute(x.expr, batch_first(x.data)), matrix);
  }

 private:
  static std::vector<int> batch_first(const Data& x) {
    std::vector<int> order = order_with_last(x.rank(), x.feature_axis);
    std::erase(order, x.batch_axis());
    order.insert(order.begin(), x.batch_axis());
    return order;
  }

  /// [input, output]
  Tensor coefficients(int64_t size) const {
    const Tensor matrix = Tensor::empty(DType::kFloat32, {size, size});
    for (int64_t i = 0; i < size; ++i) {
      for (int64_t k = 0; k < size; ++k) {
        matrix.data<float>()[i * size + k] = static_cast<float>(coefficient(i, k, size));
      }
    }
    return matrix;
  }

  double coefficient(int64_t i, int64_t k, int64_t count) const {
    const auto n = static_cast<double>(count);
    const auto x = static_cast<double>(i);
    const auto y = static_cast<double>(k);
    const double unit = ortho_ ? std::sqrt(1 / (2 * n)) : 1.0;
    switch (args_.type) {
      case 1:
        return (i == 0 || i == count - 1 ? 1.0 : 2.0) * std::cos(M_PI * x * y / (n - 1));
      case 2:
        return unit * (ortho_ && k == 0 ? std::sqrt(0.5) : 1.0) * 2 * std::cos(M_PI * y * (2 * x + 1) / (2 * n));
      case 3:
        return unit * (i == 0 ? (ortho_ ? std::sqrt(2.0) : 1.0) : 2.0) * std::cos(M_PI * x * (2 * y + 1) / (2 * n));
      default:
        return unit * 2 * std::cos(M_PI * (2 * x + 1) * (2 * y + 1) / (4 * n));
    }
  }

  DctArgs args_;
  bool ortho_ = false;
};

const RegisterLayer<DctLayer, DctArgs> kRegister{
    "dct",
    {},
    "Discrete cosine transform of the features.",
    {R"({"class": "dct", "from": "data"})", R"({"class": "dct", "type": 3, "norm": "ortho", "from": "data"})"}};

}  // namespace
}  // namespace wende
