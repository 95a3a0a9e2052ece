#include "layers/rec_unit.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/lower_case.h"
#include "config/args.h"
#include "layers/step_cell.h"
#include "ops/dropout.h"
#include "ops/pointwise.h"

namespace wende {
namespace {

/// Options of a unit that is written out here: none of these fit every unit.
struct UnitArgs {
  double forget_bias = 0.0;
  bool use_peepholes = false;
  double cell_clip = 0.0;
  Value activation;
  std::optional<bool> reuse;
  bool state_is_tuple = true;
  double rec_weight_dropout = 0.0;
  Value rec_weight_dropout_shape;
};

struct NativeLstmArgs : UnitArgs {
  template <class V>
  void fields(V& v) {
    v.field("forget_bias", forget_bias, "must be 0");
    v.field("rec_weight_dropout", rec_weight_dropout, "drop rate of the recurrent matrix in training");
    v.field("rec_weight_dropout_shape", rec_weight_dropout_shape, "(rows, columns): None = own masks, 1 = one for all");
  }
};

/// Of all cells that TensorFlow has.
struct ActivationArgs : UnitArgs {
  template <class V>
  void fields(V& v) {
    v.field("activation", activation, "of the cell's input and output (tanh)");
    v.field("reuse", reuse, "must be None or False");
  }
};

struct ForgetBiasArgs : ActivationArgs {
  ForgetBiasArgs() { forget_bias = 1.0; }
  template <class V>
  void fields(V& v) {
    ActivationArgs::fields(v);
    v.field("forget_bias", forget_bias, "added to the forget gate");
    v.field("state_is_tuple", state_is_tuple, "must be True");
  }
};

struct StandardLstmArgs : ForgetBiasArgs {
  template <class V>
  void fields(V& v) {
    ForgetBiasArgs::fields(v);
    v.field("use_peepholes", use_peepholes, "gates see the cell");
    v.field("cell_clip", cell_clip, "the cell stays within -cell_clip and cell_clip");
  }
};

struct NoArgs : UnitArgs {
  template <class V>
  void fields(V&) {}
};

template <class Args>
UnitArgs read_options(const Value& options, const std::string& unit) {
  Args args;
  ArgsReader reader(options);
  args.fields(reader);
  reader.finish("unit_opts of the unit '" + unit + "'");
  if (!args.state_is_tuple || args.reuse.value_or(false)) {
    throw options.error("state_is_tuple False and reuse True are not supported by Wende " WENDE_VERSION);
  }
  return args;
}

bool is_tanh(const Value& activation) {
  return activation.is_none() || (activation.is_string() && activation.as_string() == "tanh");
}

UnitArgs native_options(const Value& options, const std::string& unit) {
  const UnitArgs args = read_options<NativeLstmArgs>(options, unit);
  if (args.forget_bias != 0.0) {
    throw options.error("native LSTM cells have no forget_bias; use unit 'standardlstm'");
  }
  return args;
}

/// The recurrent matrix, some of its elements dropped: one mask for all steps.
Expr dropped_weights(LayerBuilder& builder, Expr w_re, const UnitArgs& args) {
  if (args.rec_weight_dropout == 0.0 || !builder.context().train) {
    return w_re;
  }
  std::vector<Dim> dims = w_re.dims();
  if (const Value& shape = args.rec_weight_dropout_shape; !shape.is_none()) {
    if (!shape.is_sequence() || shape.items().size() != 2) {
      throw shape.error("rec_weight_dropout_shape has two entries, rows and columns, got " + shape.repr());
    }
    for (size_t i = 0; i < 2; ++i) {
      const Value& entry = shape.items()[i];
      dims[i] = entry.is_none() ? dims[i] : Dim::fixed(1, Dim::Kind::kSpatial);
      if (!entry.is_none() && entry.as_int() != 1) {
        throw entry.error("an entry of rec_weight_dropout_shape is None or 1, got " + entry.repr());
      }
    }
  }
  return ops::mul(w_re, ops::dropout_mask(builder.graph(), dims, 1.0 - args.rec_weight_dropout,
                                          builder.random_key("rec_weight_dropout")));
}

/// Without the product the input is what the gates get: [T,B,4n].
Expr gate_inputs(LayerBuilder& builder, const RecInput& rec) {
  if (!rec.input_projection) {
    if (rec.sparse || rec.n_in != 4 * rec.n) {
      throw builder.context().options.error(
          fmt::format("without input_projection this unit needs {} dense features, got {}", 4 * rec.n, rec.n_in));
    }
    return rec.x;
  }
  const Expr w = builder.param("rec/W", Shape{rec.n_in, 4 * rec.n}, rec.forward_init, "xavier");
  return project_input(rec, w, builder.param("rec/b", Shape{4 * rec.n}, rec.bias_init, "zeros"));
}

ops::RecurrentState native_lstm(LayerBuilder& builder, const RecInput& rec, const UnitArgs& args) {
  const Expr z = gate_inputs(builder, rec);
  const Expr w_re = builder.param("rec/W_re", Shape{rec.n, 4 * rec.n}, rec.recurrent_init, "xavier");
  return ops::lstm(z, dropped_weights(builder, w_re, args), rec.lengths, rec.c0, rec.h0, rec.direction,
                   ops::GateOrder::kNative, 0.0);
}

ops::RecurrentState joined_lstm(LayerBuilder& builder, const RecInput& rec, const std::string& kernel_name,
                                const std::string& bias_name, ops::GateOrder order, double forget_bias) {
  const Expr kernel = builder.param(kernel_name, Shape{rec.n_in + rec.n, 4 * rec.n}, rec.forward_init, "xavier");
  const Expr b = builder.param(bias_name, Shape{4 * rec.n}, rec.bias_init, "zeros");
  const Expr z = project_input(rec, kernel_rows(kernel, 0, rec.n_in), b);
  return ops::lstm(z, kernel_rows(kernel, rec.n_in, rec.n_in + rec.n), rec.lengths, rec.c0, rec.h0, rec.direction,
                   order, forget_bias);
}

ops::RecurrentState gru(LayerBuilder& builder, const RecInput& rec) {
  const int64_t n = rec.n;
  const int64_t in = rec.n_in;
  const Expr gates = builder.param("rec/gru_cell/gates/kernel", Shape{in + n, 2 * n}, rec.forward_init, "xavier");
  const Expr gates_b = builder.param("rec/gru_cell/gates/bias", Shape{2 * n}, rec.bias_init, "ones");
  const Expr candidate = builder.param("rec/gru_cell/candidate/kernel", Shape{in + n, n}, rec.forward_init, "xavier");
  const Expr candidate_b = builder.param("rec/gru_cell/candidate/bias", Shape{n}, rec.bias_init, "zeros");
  return ops::gru(project_input(rec, kernel_rows(gates, 0, in), gates_b),
                  project_input(rec, kernel_rows(candidate, 0, in), candidate_b), kernel_rows(gates, in, in + n),
                  kernel_rows(candidate, in, in + n), rec.lengths, rec.h0, rec.direction);
}

ops::RecurrentState basic_rnn(LayerBuilder& builder, const RecInput& rec) {
  const int64_t in = rec.n_in;
  const Expr kernel = builder.param("rec/basic_rnn_cell/kernel", Shape{in + rec.n, rec.n}, rec.forward_init, "xavier");
  const Expr b = builder.param("rec/basic_rnn_cell/bias", Shape{rec.n}, rec.bias_init, "zeros");
  return ops::simple_rnn(project_input(rec, kernel_rows(kernel, 0, in), b), kernel_rows(kernel, in, in + rec.n),
                         rec.lengths, rec.h0, rec.direction);
}

RecUnit joined_lstm_unit(const std::string& scope, double forget_bias) {
  return {[scope, forget_bias](LayerBuilder& builder, const RecInput& rec) {
            return joined_lstm(builder, rec, "rec/" + scope + "/kernel", "rec/" + scope + "/bias", ops::GateOrder::kTf,
                               forget_bias);
          },
          true};
}

RecUnit standard_lstm(const Value& options) {
  const UnitArgs args = read_options<StandardLstmArgs>(options, "standardlstm");
  if (args.cell_clip < 0.0) {
    throw options.error(fmt::format("cell_clip must be > 0, got {}", args.cell_clip));
  }
  const bool plain = !args.use_peepholes && args.cell_clip == 0.0 && is_tanh(args.activation);
  return plain ? joined_lstm_unit("lstm_cell", args.forget_bias)
               : stepped_lstm({"lstm_cell", args.use_peepholes, args.forget_bias, args.cell_clip, args.activation});
}

RecUnit basic_lstm(const Value& options) {
  const UnitArgs args = read_options<ForgetBiasArgs>(options, "basiclstm");
  return is_tanh(args.activation) ? joined_lstm_unit("basic_lstm_cell", args.forget_bias)
                                  : stepped_lstm({"basic_lstm_cell", false, args.forget_bias, 0.0, args.activation});
}

RecUnit low_memory_lstm(const Value& options) {
  read_options<NoArgs>(options, "nativelstmlowmem");
  const auto build = [](LayerBuilder& builder, const RecInput& rec) {
    if (!rec.input_projection) {
      throw builder.context().options.error("the unit 'nativelstmlowmem' is never without input_projection");
    }
    return joined_lstm(builder, rec, "rec/W", "rec/b", ops::GateOrder::kNative, 0.0);
  };
  RecUnit unit{build, true};
  unit.single_state = unit.any_frames = true;
  return unit;
}

/// What the options make of a unit.
using MakeUnit = std::function<RecUnit(const Value& options)>;

const std::map<std::string, MakeUnit>& rec_units() {
  static const std::map<std::string, MakeUnit> units = [] {
    std::map<std::string, MakeUnit> table;
    for (const char* name :
         {"lstm", "lstmp", "nativelstm", "nativelstm2", "lstmblock", "lstmblockfused", "cudnnlstm", "vanillalstm"}) {
      table[name] = [name](const Value& options) -> RecUnit {
        const UnitArgs args = native_options(options, name);
        RecUnit unit{[args](LayerBuilder& builder, const RecInput& rec) { return native_lstm(builder, rec, args); },
                     true};
        unit.any_frames = true;
        return unit;
      };
    }
    table["standardlstm"] = standard_lstm;
    table["basiclstm"] = basic_lstm;
    table["nativelstmlowmem"] = low_memory_lstm;
    table["gru"] = [](const Value& options) -> RecUnit {
      const UnitArgs args = read_options<ActivationArgs>(options, "gru");
      return is_tanh(args.activation) ? RecUnit{gru, false} : stepped_gru(args.activation);
    };
    table["basicrnn"] = [](const Value& options) -> RecUnit {
      const UnitArgs args = read_options<ActivationArgs>(options, "basicrnn");
      return is_tanh(args.activation) ? RecUnit{basic_rnn, false} : stepped_rnn(args.activation);
    };
    table["rnn"] = table["basicrnn"];
    table["zoneoutlstm"] = zoneout_lstm;
    table["layernormvariantslstm"] = layer_norm_lstm;
    table["rhn"] = recurrent_highway;
    return table;
  }();
  return units;
}

}  // namespace

RecUnit find_rec_unit(const Value& option, const Value& unit_opts, bool cell) {
  std::string name = lower_case(option.as_string());
  if (name.size() > 4 && name.compare(name.size() - 4, 4, "cell") == 0) {
    name.resize(name.size() - 4);
  }
  if (cell && (name == "lstm" || name == "lstmp" || name.starts_with("nativelstm"))) {
    throw option.error("'" + option.as_string() +
                       "' runs over whole sequences only; rnn_cell knows LSTMBlock, BasicLSTM, "
                       "StandardLSTM, ZoneoutLSTM, "
                       "LayerNormVariantsLSTM, GRU, RHN, BasicRNN");
  }
  if (cell && name.starts_with("lstmblock")) {
    name = "standardlstm";
  }
  const auto it = rec_units().find(name);
  if (it != rec_units().end()) {
    return it->second(unit_opts.is_none() ? Value::dict({}).placed(option.span(), option.path()) : unit_opts);
  }
  std::vector<std::string> known;
  std::string list = "known units:";
  for (const auto& [unit, entry] : rec_units()) {
    known.push_back(unit);
    list += " " + unit;
  }
  if (name.starts_with("blocksparse") || name == "twodnativelstm" || name.ends_with("wrapper") || name == "multirnn" ||
      name == "layerrnn") {
    throw option
        .error("unit '" + option.as_string() + "' is known in RETURNN but not supported by Wende " WENDE_VERSION)
        .hint(name.starts_with("blocksparse") ? "it needs kernels of another library; \"nativelstm2\" is the dense one"
                                              : "it cannot be made from a name and numbers alone; " + list);
  }
  const std::string hint = did_you_mean(name, known);
  throw option.error("unknown recurrent unit '" + option.as_string() + "'").hint(hint.empty() ? list : hint);
}

}  // namespace wende
