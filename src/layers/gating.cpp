#include <fmt/core.h>

#include "layers/activation.h"
#include "layers/concat_input.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct GatingArgs {
  Value activation;
  Value gate_activation;

  template <class V>
  void fields(V& v) {
    v.field("activation", activation, "function of the first half");
    v.field("gate_activation", gate_activation, "function of the second half (sigmoid)");
  }
};

/// act(first half of the features) * gate(second half).
class GatingLayer : public Layer {
 public:
  explicit GatingLayer(GatingArgs args) : args_(std::move(args)) {
    if (args_.gate_activation.is_none()) {
      args_.gate_activation = Value::of("sigmoid");
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const int64_t size = input_size(x);
    if (x.feature_axis < 0 || size % 2 != 0) {
      throw context.options.error(fmt::format("gating needs an even number of features, got {}", x.str()));
    }
    return with_feature_size(x, size / 2, context.absolute_name + ":gating");
  }

  Expr build(LayerBuilder& builder) override {
    const Expr x = builder.input().expr;
    const Data& out = builder.out_data();
    const int axis = out.feature_axis;
    const Dim& half = out.dims[static_cast<size_t>(axis)];
    const Expr a = ops::slice(x, axis, 0, half.size(), 1, half);
    const Expr b = ops::slice(x, axis, half.size(), 2 * half.size(), 1, half);
    return ops::mul(apply_activation(args_.activation, a, axis), apply_activation(args_.gate_activation, b, axis));
  }

 private:
  GatingArgs args_;
};

struct ReduceOutArgs {
  std::string mode = "max";
  int64_t num_pieces = 0;

  template <class V>
  void fields(V& v) {
    v.field("mode", mode, "max, mean (avg), sum or min");
    v.field("num_pieces", num_pieces, "neighbouring features that become one");
  }
};

/// Groups of num_pieces neighbouring features: [.., F] -> [.., F/k].
class ReduceOutLayer : public Layer {
 public:
  explicit ReduceOutLayer(ReduceOutArgs args) : args_(std::move(args)) {
    static const std::vector<std::pair<std::string, ops::Reduction>> table{{"max", ops::Reduction::kMax},
                                                                           {"mean", ops::Reduction::kMean},
                                                                           {"avg", ops::Reduction::kMean},
                                                                           {"sum", ops::Reduction::kSum},
                                                                           {"min", ops::Reduction::kMin}};
    bool found = false;
    for (const auto& [name, kind] : table) {
      if (name == args_.mode) {
        kind_ = kind;
        found = true;
      }
    }
    if (!found || args_.num_pieces < 1) {
      throw Error(ExitStatus::kConfig, fmt::format("reduce_out needs a mode (max, mean, sum, min) and num_pieces > 0, "
                                                   "got '{}' and {}",
                                                   args_.mode, args_.num_pieces));
    }
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const int64_t size = input_size(x);
    if (x.feature_axis < 0 || size % args_.num_pieces != 0) {
      throw context.options.error(
          fmt::format("num_pieces {} does not divide the features of {}", args_.num_pieces, x.str()));
    }
    return with_feature_size(x, size / args_.num_pieces, context.absolute_name + ":reduce_out");
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    std::vector<Dim> dims = out.dims;
    dims.insert(dims.begin() + out.feature_axis + 1, Dim::fixed(args_.num_pieces, Dim::Kind::kSpatial));
    return ops::reduce(kind_, ops::reshape(builder.input().expr, dims), {out.feature_axis + 1});
  }

 private:
  ReduceOutArgs args_;
  ops::Reduction kind_ = ops::Reduction::kMax;
};

const RegisterLayer<GatingLayer, GatingArgs> kRegister{
    "gating",
    {},
    "Half of the features, gated by the other half.",
    {R"({"class": "gating", "activation": "tanh", "from": ["data", "data"]})"}};
const RegisterLayer<ReduceOutLayer, ReduceOutArgs> kRegisterReduceOut{
    "reduce_out",
    {},
    "Combines groups of neighbouring features.",
    {R"({"class": "reduce_out", "mode": "max", "num_pieces": 5, "from": "data"})"}};

}  // namespace
}  // namespace wende
