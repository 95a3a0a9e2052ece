#include <fmt/core.h>

#include <vector>

#include "config/args.h"
#include "layers/step_cell.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

struct HighwayArgs {
  int64_t depth = 5;
  double dropout = 0.0;
  Value dropout_seed;
  std::optional<double> transform_bias;
  std::optional<bool> is_training;

  template <class V>
  void fields(V& v) {
    v.field("depth", depth, "highway layers in each step");
    v.field("dropout", dropout, "drop rate of the state, one mask for all steps");
    v.field("dropout_seed", dropout_seed, "accepted; masks follow the layer's name and the run's seed");
    v.field("is_training", is_training, "whether to drop (None: in training)");
    v.field("transform_bias", transform_bias, "initial bias of the transform gates");
  }
};

}  // namespace

/// Recurrent highway network (arXiv 1607.03474): s <- s + sigmoid(t) (tanh(h) - s), `depth` times in each step, where
/// h and t are products with s and, in the first layer, of the input.
RecUnit recurrent_highway(const Value& options) {
  HighwayArgs args;
  ArgsReader reader(options);
  args.fields(reader);
  reader.finish("unit_opts of the unit 'rhn'");
  if (args.depth < 1 || !(args.dropout >= 0.0 && args.dropout < 1.0)) {
    throw options.error("the unit 'rhn' needs depth >= 1 and 0 <= dropout < 1");
  }
  return {[args](LayerBuilder& builder, const RecInput& rec) {
            const Expr w = builder.param("rec/W", Shape{rec.n_in, 2 * rec.n}, rec.forward_init, "xavier");
            const Expr b = builder.param("rec/b", Shape{2 * rec.n}, rec.bias_init, "zeros");
            if (const double bias = args.transform_bias.value_or(0.0); bias != 0.0) {
              std::vector<float> values(static_cast<size_t>(2 * rec.n), 0.0f);
              std::fill(values.begin() + rec.n, values.end(), static_cast<float>(bias));
              builder.initialize_with("rec/b", ops::constant_array(builder.graph(), Tensor::of(values, {2 * rec.n}),
                                                                   {Dim::fixed(2 * rec.n)}));
            }
            std::vector<Expr> layers;
            for (int64_t i = 0; i < args.depth; ++i) {
              layers.push_back(builder.param(fmt::format("rec/rhn_cell/depth_{}/W", i), Shape{rec.n, 2 * rec.n},
                                             rec.forward_init, "xavier"));
            }
            const Expr mask = state_dropout(builder, rec, args.dropout, "rhn", args.is_training);
            const auto step = [&](Graph& graph, Expr z, const CellState& before) {
              Expr state = before.h;
              for (const Expr& layer : layers) {
                const Expr seen = mask.defined() ? ops::mul(state, graph.capture(mask)) : state;
                Expr y = ops::linear(seen, graph.capture(layer));
                y = layer == layers.front() ? ops::add(y, z) : y;
                const Expr h = ops::unary(ops::Unary::kTanh, gate(y, 0, rec.n));
                const Expr t = ops::unary(ops::Unary::kSigmoid, gate(y, 1, rec.n));
                state = ops::add(state, ops::mul(t, ops::sub(h, state)));
              }
              return CellState{{}, state, state};
            };
            return run_step_cell(builder, rec, {project_input(rec, w, b), step}, false);
          },
          false};
}

}  // namespace wende
