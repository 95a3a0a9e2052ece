#include <fmt/core.h>

#include <cmath>

#include "layers/gathering.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct GaussWindowArgs {
  Value base, inner_size;
  int64_t window_size = 0;
  double std = 1.0;
  double inner_size_step = 0.5;

  template <class V>
  void fields(V& v) {
    v.field("base", base, "layer whose frames are summed up, [B,T,F]");
    v.field("window_size", window_size, "how many frames around the position count");
    v.field("std", std, "standard deviation, in frames");
    v.field("inner_size", inner_size, "must be None (RETURNN's own code for it fails)");
    v.field("inner_size_step", inner_size_step, "of inner_size");
  }
};

/// Sums the frames of base in a window around a position, the input, with the weights of a Gaussian.
class GaussWindowLayer : public Layer {
 public:
  explicit GaussWindowLayer(GaussWindowArgs args) : args_(std::move(args)) {
    if (!args_.base.is_string()) {
      throw args_.base.error("gauss_window_attention needs 'base': a layer, got " + args_.base.repr());
    }
    if (!args_.inner_size.is_none()) {
      throw args_.inner_size.error("inner_size is not supported by Wende " WENDE_VERSION);
    }
    if (args_.window_size < 1 || args_.std <= 0) {
      throw Error(ExitStatus::kConfig, "gauss_window_attention needs window_size > 0 and std > 0");
    }
  }

  std::vector<std::string> refs() const override { return {args_.base.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& base = context.refs.at(args_.base.as_string());
    if (base.rank() != 3 || !base.has_batch() || !base.has_time() || base.feature_axis < 0) {
      throw args_.base.error("attention needs frames [B,T,F], got " + base.str());
    }
    const bool one = context.sources.size() == 1 && context.sources[0].has_batch() && !context.sources[0].has_time();
    if (!one || context.sources[0].rank() > 2 ||
        (context.sources[0].rank() == 2 && (context.sources[0].feature_axis < 0 || input_count(context) != 1))) {
      throw context.options.error("gauss_window_attention needs a position [B] or [B,1] as input");
    }
    Data out;
    out.name = context.name;
    out.dims = {base.dims[static_cast<size_t>(base.batch_axis())]};
    out.dims.push_back(base.feature_or_sparse_dim());
    out.feature_axis = out.rank() - 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    Graph& graph = builder.graph();
    const LayerOutput base = builder.ref(args_.base.as_string());
    const LayerOutput input = builder.input();
    Expr t = input.expr;
    if (t.rank() == 2) {
      t = ops::squeeze(t, input.data.feature_axis);
    }
    const Dim window = Dim::fixed(args_.window_size, Dim::Kind::kSpatial);
    const auto whole = [&](int64_t value) { return ops::int_constant(graph, value); };
    const Expr start =
        ops::sub(ops::cast(ops::unary(ops::Unary::kRound, t), DType::kInt32), whole(args_.window_size / 2));
    const Expr places = ops::add(ops::expand_dims(start, 1), ops::expand_dims(ops::range(graph, window), 0));  // [B,W]
    const Dim& time = base.data.time_dim();
    const Expr size = time.is_dynamic() ? ops::expand_dims(builder.lengths(time), 1) : whole(time.size());
    const Expr inside = ops::binary(ops::Binary::kMinimum, ops::binary(ops::Binary::kMaximum, places, whole(0)),
                                    ops::sub(size, whole(1)));
    Data position;
    position.dtype = DType::kInt32;
    position.dims = inside.dims();
    const Expr frames = Gathering(base.data, position, base.data.time_axis).build(base.expr, inside);  // [B,W,F]
    const Expr sum = ops::batch_matmul(weights(t, places), frames);
    return ops::squeeze(sum, 1);
  }

 private:
  static int64_t input_count(const LayerContext& context) {
    const Dim dim = context.sources[0].feature_or_sparse_dim();
    return dim.is_static() ? dim.size() : 0;
  }

  /// Of the frames in the window: [B,1,W].
  Expr weights(Expr t, Expr places) const {
    const Expr distance = ops::sub(ops::expand_dims(t, 1), ops::cast(places, DType::kFloat32));
    const Expr exponent = ops::scale(ops::unary(ops::Unary::kSquare, distance), -1 / (2 * args_.std * args_.std));
    return ops::expand_dims(ops::scale(ops::unary(ops::Unary::kExp, exponent), 1 / (args_.std * std::sqrt(2 * M_PI))),
                            1);
  }

  GaussWindowArgs args_;
};

const RegisterLayer<GaussWindowLayer, GaussWindowArgs> kRegister{
    "gauss_window_attention",
    {},
    "Sums frames around a position with the weights of a Gaussian.",
    {R"({"class": "rec", "from": "data", "unit": {)"
     R"("t": {"class": "linear", "activation": "tanh", "n_out": 1, "from": ["data:source", "prev:output"]}, )"
     R"("output": {"class": "gauss_window_attention", "from": "t", "base": "base:data", "window_size": 3}}})"}};

}  // namespace
}  // namespace wende
