#include <fmt/core.h>

#include "config/args.h"
#include "layers/activation.h"
#include "layers/step_cell.h"
#include "ops/dropout.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// TensorFlow's LSTMCell: gates i, j, f, o; with peepholes the gates see the cell through vectors w_*_diag.
struct LstmCell {
  SteppedLstm args;
  Expr kernel;         ///< [in+n,4n]
  Expr w_i, w_f, w_o;  ///< [n]; undefined without peepholes
};

LstmCell make_lstm(LayerBuilder& builder, const RecInput& rec, const SteppedLstm& args) {
  const auto vector = [&](const char* name) {
    return builder.param(fmt::format("rec/{}/{}", args.scope, name), Shape{rec.n}, rec.forward_init, "xavier");
  };
  LstmCell cell;
  cell.args = args;
  cell.kernel =
      builder.param("rec/" + args.scope + "/kernel", Shape{rec.n_in + rec.n, 4 * rec.n}, rec.forward_init, "xavier");
  if (args.use_peepholes) {
    cell.w_f = vector("w_f_diag");
    cell.w_i = vector("w_i_diag");
    cell.w_o = vector("w_o_diag");
  }
  return cell;
}

Expr lstm_inputs(LayerBuilder& builder, const RecInput& rec, const LstmCell& cell) {
  const Expr bias = builder.param("rec/" + cell.args.scope + "/bias", Shape{4 * rec.n}, rec.bias_init, "zeros");
  return project_input(rec, kernel_rows(cell.kernel, 0, rec.n_in), bias);
}

CellState lstm_step(const LstmCell& cell, const RecInput& rec, Graph& graph, Expr z, const CellState& before) {
  const Expr w_re = kernel_rows(cell.kernel, rec.n_in, rec.n_in + rec.n);
  z = ops::add(z, ops::linear(before.h, graph.capture(w_re)));
  const auto sigmoid = [&](int index, Expr weights, Expr c, double bias) {
    Expr x = gate(z, index, rec.n);
    x = weights.defined() ? ops::add(x, ops::mul(c, ops::expand_dims(graph.capture(weights), 0))) : x;
    return ops::unary(ops::Unary::kSigmoid, bias == 0.0 ? x : ops::add_scalar(x, bias));
  };
  const auto activated = [&](Expr x) {
    return cell.args.activation.is_none() ? ops::unary(ops::Unary::kTanh, x)
                                          : apply_activation(cell.args.activation, x, x.rank() - 1);
  };
  const Expr input = activated(gate(z, 1, rec.n));
  CellState after;
  after.c = ops::add(ops::mul(sigmoid(2, cell.w_f, before.c, cell.args.forget_bias), before.c),
                     ops::mul(sigmoid(0, cell.w_i, before.c, 0.0), input));
  if (const double clip = cell.args.cell_clip; clip > 0.0) {
    after.c = ops::binary(ops::Binary::kMinimum, after.c, ops::constant(graph, clip));
    after.c = ops::binary(ops::Binary::kMaximum, after.c, ops::constant(graph, -clip));
  }
  after.h = ops::mul(sigmoid(3, cell.w_o, after.c, 0.0), activated(after.c));
  after.output = after.h;
  return after;
}

struct ZoneoutArgs {
  double zoneout_factor_cell = 0.0;
  double zoneout_factor_output = 0.0;
  std::optional<bool> use_zoneout_output;

  template <class V>
  void fields(V& v) {
    v.field("zoneout_factor_cell", zoneout_factor_cell, "how much of the cell stays as it was");
    v.field("zoneout_factor_output", zoneout_factor_output, "how much of the state h stays as it was");
    v.field("use_zoneout_output", use_zoneout_output, "the output is h after zoneout (from behavior_version 17 on)");
  }
};

/// In training each element stays with probability `rate`; else the mean of that.
Expr zoned_out(LayerBuilder& builder, Graph& graph, Expr before, Expr after, double rate, const char* name) {
  if (rate == 0.0) {
    return after;
  }
  if (!builder.context().train) {
    return ops::add(ops::scale(after, 1.0 - rate), ops::scale(before, rate));
  }
  const Expr change = ops::scale(ops::sub(after, before), 1.0 - rate);
  const Expr mask = ops::dropout_mask(graph, after.dims(), 1.0 - rate, builder.random_key(name));
  return ops::add(before, ops::mul(change, mask));
}

}  // namespace

RecUnit stepped_lstm(const SteppedLstm& args) {
  return {[args](LayerBuilder& builder, const RecInput& rec) {
            const LstmCell lstm = make_lstm(builder, rec, args);
            const auto step = [&](Graph& graph, Expr z, const CellState& before) {
              return lstm_step(lstm, rec, graph, z, before);
            };
            return run_step_cell(builder, rec, {lstm_inputs(builder, rec, lstm), step}, true);
          },
          true};
}

RecUnit zoneout_lstm(const Value& options) {
  ZoneoutArgs args;
  ArgsReader reader(options);
  args.fields(reader);
  reader.finish("unit_opts of the unit 'zoneoutlstm'");
  for (const double rate : {args.zoneout_factor_cell, args.zoneout_factor_output}) {
    if (!(rate >= 0.0 && rate < 1.0)) {
      throw options.error(fmt::format("a zoneout factor must be 0 <= factor < 1, got {}", rate));
    }
  }
  return {[args](LayerBuilder& builder, const RecInput& rec) {
            const bool output_is_h = args.use_zoneout_output.value_or(builder.context().behavior_version >= 17);
            const LstmCell lstm = make_lstm(builder, rec, {.scope = "lstm_cell", .activation = {}});
            const auto step = [&](Graph& graph, Expr z, const CellState& before) {
              CellState after = lstm_step(lstm, rec, graph, z, before);
              after.c = zoned_out(builder, graph, before.c, after.c, args.zoneout_factor_cell, "zoneout_cell");
              after.h = zoned_out(builder, graph, before.h, after.h, args.zoneout_factor_output, "zoneout_output");
              after.output = output_is_h ? after.h : after.output;
              return after;
            };
            return run_step_cell(builder, rec, {lstm_inputs(builder, rec, lstm), step}, true);
          },
          true};
}

}  // namespace wende
