#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <vector>

#include "config/args.h"
#include "layers/step_cell.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct LayerNormLstmArgs {
  double norm_gain = 1.0, norm_shift = 0.0, forget_bias = 0.0, dropout = 0.0, dropout_h = 0.0;
  double variance_epsilon = 1e-12;
  bool with_concat = false, global_norm = true, global_norm_joined = false, per_gate_norm = false;
  bool cell_norm = true, cell_norm_in_output = true, hidden_norm = false;
  Value dropout_seed;
  std::optional<bool> is_training;

  template <class V>
  void fields(V& v) {
    v.field("norm_gain", norm_gain, "initial scale of the norms");
    v.field("norm_shift", norm_shift, "initial shift of the norms");
    v.field("forget_bias", forget_bias, "initial bias of the forget gate, in the bias or in a norm's shift");
    v.field("dropout", dropout, "drop rate of the cell's input, one mask for all steps");
    v.field("dropout_h", dropout_h, "drop rate of the state h, one mask for all steps");
    v.field("dropout_seed", dropout_seed, "accepted; masks follow the layer's name and the run's seed");
    v.field("is_training", is_training, "whether to drop (None: in training)");
    v.field("with_concat", with_concat, "one matrix for input and state");
    v.field("global_norm", global_norm, "norms of the products with input and state");
    v.field("global_norm_joined", global_norm_joined, "norm of their sum");
    v.field("per_gate_norm", per_gate_norm, "norms of the gates");
    v.field("cell_norm", cell_norm, "norm of the new cell");
    v.field("cell_norm_in_output", cell_norm_in_output, "the output is made of the cell after its norm");
    v.field("hidden_norm", hidden_norm, "norm of the new state h");
    v.field("variance_epsilon", variance_epsilon, "added to variances");
  }
};

/// LSTM with layer normalisation at the chosen places; gates i, j, f, o.
class LayerNormLstm {
 public:
  LayerNormLstm(const LayerNormLstmArgs& args, LayerBuilder& builder, const RecInput& rec)
      : args_(args), builder_(builder), rec_(rec) {
    make_weights();
    make_norms();
    dropped_input_ = state_dropout(builder, rec, args.dropout, "dropout", args.is_training);
    dropped_state_ = state_dropout(builder, rec, args.dropout_h, "dropout_h", args.is_training);
  }

  Expr inputs() {
    const Expr w = args_.with_concat ? kernel_rows(w_, 0, rec_.n_in) : w_;
    const Expr z = project_input(rec_, w, bias_);
    return args_.global_norm ? norm(builder_.graph(), z, "input_below") : z;
  }

  CellState step(Graph& graph, Expr z, const CellState& before) {
    const auto sigmoid = [](Expr x) { return ops::unary(ops::Unary::kSigmoid, x); };
    const auto tanh = [](Expr x) { return ops::unary(ops::Unary::kTanh, x); };
    const Expr h = dropped_state_.defined() ? ops::mul(before.h, graph.capture(dropped_state_)) : before.h;
    Expr recurrent = ops::linear(h, graph.capture(w_re_));
    recurrent = args_.global_norm ? norm(graph, recurrent, "state_below") : recurrent;
    z = ops::add(z, recurrent);
    z = args_.global_norm_joined ? norm(graph, z, "lstm_in") : z;
    const auto part = [&](int index, const char* name) {
      const Expr x = gate(z, index, rec_.n);
      return args_.per_gate_norm ? norm(graph, x, name) : x;
    };
    Expr input = tanh(part(1, "j_gate"));
    input = dropped_input_.defined() ? ops::mul(input, graph.capture(dropped_input_)) : input;
    CellState after;
    after.c = ops::add(ops::mul(sigmoid(part(2, "f_gate")), before.c), ops::mul(sigmoid(part(0, "i_gate")), input));
    Expr shown = after.c;
    if (args_.cell_norm) {
      after.c = norm(graph, after.c, "new_c");
      shown = args_.cell_norm_in_output ? after.c : shown;
    }
    after.h = ops::mul(sigmoid(part(3, "o_gate")), tanh(shown));
    after.h = args_.hidden_norm ? norm(graph, after.h, "new_h") : after.h;
    after.output = after.h;
    return after;
  }

 private:
  struct Norm {
    Expr gamma, beta;
  };

  void make_weights() {
    const int64_t n = rec_.n;
    const bool joined = args_.with_concat;
    const std::string suffix = joined ? "ff_re" : "ff";
    w_ = builder_.param("rec/W_" + suffix, Shape{rec_.n_in + (joined ? n : 0), 4 * n}, rec_.forward_init, "xavier");
    w_re_ = joined ? kernel_rows(w_, rec_.n_in, rec_.n_in + n)
                   : builder_.param("rec/W_re", Shape{n, 4 * n}, rec_.forward_init, "xavier");
    if (args_.global_norm || args_.global_norm_joined || args_.per_gate_norm) {
      return;
    }
    bias_ = builder_.param("rec/bias_" + suffix, Shape{4 * n}, Value(), "zeros");
    if (args_.forget_bias > 0.0) {
      std::vector<float> values(static_cast<size_t>(4 * n), 0.0f);
      std::fill(values.begin() + 2 * n, values.begin() + 3 * n, static_cast<float>(args_.forget_bias));
      builder_.initialize_with("rec/bias_" + suffix,
                               ops::constant_array(builder_.graph(), Tensor::of(values, {4 * n}), {Dim::fixed(4 * n)}));
    }
  }

  void make_norms() {
    const double biased = args_.norm_shift + std::max(args_.forget_bias, 0.0);
    if (args_.global_norm) {
      add_norm("input_below", 4 * rec_.n, biased);
      add_norm("state_below", 4 * rec_.n, {});
    }
    if (args_.global_norm_joined) {
      add_norm("lstm_in", 4 * rec_.n, biased);
    }
    if (args_.per_gate_norm) {
      for (const char* name : {"i_gate", "j_gate", "f_gate", "o_gate"}) {
        add_norm(name, rec_.n, *name == 'f' ? biased : args_.norm_shift);
      }
    }
    if (args_.cell_norm) {
      add_norm("new_c", rec_.n, args_.norm_shift);
    }
    if (args_.hidden_norm) {
      add_norm("new_h", rec_.n, args_.norm_shift);
    }
  }

  void add_norm(const std::string& name, int64_t size, std::optional<double> shift) {
    Norm& entry = norms_[name];
    entry.gamma = builder_.param("rec/gamma_" + name, Shape{size}, Value(), fmt::format("{}", args_.norm_gain));
    if (shift) {
      entry.beta = builder_.param("rec/beta_" + name, Shape{size}, Value(), fmt::format("{}", *shift));
    }
  }

  Expr norm(Graph& graph, Expr x, const std::string& name) const {
    const Norm& entry = norms_.at(name);
    const int last = x.rank() - 1;
    const auto row = [&](Expr vector) {
      vector = graph.capture(vector);
      while (vector.rank() < x.rank()) {
        vector = ops::expand_dims(vector, 0);
      }
      return vector;
    };
    const Expr centred = ops::sub(x, ops::reduce(ops::Reduction::kMean, x, {last}, true));
    const Expr variance = ops::reduce(ops::Reduction::kMean, ops::mul(centred, centred), {last}, true);
    const Expr scale = ops::unary(ops::Unary::kRsqrt, ops::add_scalar(variance, args_.variance_epsilon));
    const Expr y = ops::mul(ops::mul(centred, scale), row(entry.gamma));
    return entry.beta.defined() ? ops::add(y, row(entry.beta)) : y;
  }

  const LayerNormLstmArgs& args_;
  LayerBuilder& builder_;
  const RecInput& rec_;
  Expr w_, w_re_, bias_, dropped_input_, dropped_state_;
  std::map<std::string, Norm> norms_;
};

}  // namespace

RecUnit layer_norm_lstm(const Value& options) {
  LayerNormLstmArgs args;
  ArgsReader reader(options);
  args.fields(reader);
  reader.finish("unit_opts of the unit 'layernormvariantslstm'");
  if (static_cast<int>(args.global_norm) + static_cast<int>(args.global_norm_joined) +
          static_cast<int>(args.per_gate_norm) >
      1) {
    throw options.error("of global_norm (on by default), global_norm_joined and per_gate_norm only one can be on");
  }
  if (args.with_concat && args.global_norm) {
    throw options.error("with_concat and global_norm (on by default) exclude each other");
  }
  return {[args](LayerBuilder& builder, const RecInput& rec) {
            LayerNormLstm lstm(args, builder, rec);
            const auto step = [&](Graph& graph, Expr z, const CellState& before) {
              return lstm.step(graph, z, before);
            };
            return run_step_cell(builder, rec, {lstm.inputs(), step}, true);
          },
          true};
}

}  // namespace wende
