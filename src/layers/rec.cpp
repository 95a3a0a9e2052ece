#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "layers/axis_option.h"
#include "layers/concat_input.h"
#include "layers/rec_unit.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct RecArgs {
  Value unit, unit_opts, forward_weights_init, recurrent_weights_init, bias_init, initial_state, state, max_seq_len,
      axis;
  int64_t direction = 1;
  bool input_projection = true;
  Value optimize_move_layers_out, unroll, use_global_rec_step_offset, include_eos, cheating, debug, back_prop;

  template <class V>
  void fields(V& v) {
    v.field("unit", unit, "cell name, e.g. \"lstm\", or a dict of layers that run step by step");
    v.field("unit_opts", unit_opts, "dict of the cell's options");
    v.field("direction", direction, "1, or -1 for backward in time");
    v.field("input_projection", input_projection,
            "multiplies the input by a matrix; False needs an LSTM of RETURNN's own and an input of 4 n_out features");
    v.field("forward_weights_init", forward_weights_init, "initialiser of W (xavier)");
    v.field("recurrent_weights_init", recurrent_weights_init, "initialiser of W_re (xavier)");
    v.field("bias_init", bias_init, "initialiser of the bias (0)");
    v.field("initial_state", initial_state,
            "None, 0, 1, \"var\", \"keep_over_epoch\", a layer, or a dict or list of these for c and h");
    v.field("state", state,
            "of one step: layers that give the state before it, as initial_state; None: the cell's own");
    v.field("max_seq_len", max_seq_len, "of units of layers: the longest loop, where nothing else says its length");
    v.field("axis", axis, "the time axis; the default time axis if not given");
    v.field("optimize_move_layers_out", optimize_move_layers_out,
            "of units of layers: compute on all frames what can be");
    v.field("unroll", unroll, "accepted; the result is the same");
    v.field("use_global_rec_step_offset", use_global_rec_step_offset, "of units of layers; ignored for cells");
    v.field("include_eos", include_eos, "of units of layers; ignored for cells");
    v.field("cheating", cheating, "of units of layers; ignored for cells");
    v.field("debug", debug, "accepted; has no effect");
    v.field("back_prop", back_prop, "of a unit of layers: False gives no gradients through the loop");
  }
};

struct RnnCellArgs {
  Value unit, unit_opts, initial_state, state, weights_init;

  template <class V>
  void fields(V& v) {
    v.field("unit", unit, "cell name, e.g. \"LSTMBlock\"");
    v.field("unit_opts", unit_opts, "dict of the cell's options");
    v.field("initial_state", initial_state,
            "None, 0, 1, \"var\", \"keep_over_epoch\", a layer, or a dict or list of these for c and h");
    v.field("state", state,
            "of one step: layers that give the state before it, as initial_state; None: the cell's own");
    v.field("weights_init", weights_init, "initialiser of the matrices (xavier)");
  }
};

bool is_state_keyword(const Value& value) {
  static const std::vector<std::string> words{"zeros",      "ones", "var", "keep_over_epoch", "keep_over_epoch_no_init",
                                              "placeholder"};
  return value.is_string() && std::find(words.begin(), words.end(), value.as_string()) != words.end();
}

class RecLayer : public Layer {
 public:
  explicit RecLayer(RecArgs args, bool is_cell = false) : args_(std::move(args)), is_cell_(is_cell) {
    if (args_.unit.is_dict()) {
      return;  // the network itself builds a unit of layers
    }
    if (args_.unit.is_none()) {
      args_.unit = Value::of("lstm");
    }
    unit_ = find_rec_unit(args_.unit, args_.unit_opts, is_cell);
    if (args_.direction != 1 && args_.direction != -1) {
      throw Error(ExitStatus::kConfig, fmt::format("direction must be 1 or -1, got {}", args_.direction));
    }
    collect_refs(args_.initial_state);
    collect_refs(args_.state);
  }

  std::vector<std::string> refs() const override { return refs_; }

  Data out_data(const LayerContext& context) override {
    if (!context.n_out) {
      throw context.options.error("n_out missing and cannot be derived: rec layer '" + context.name +
                                  "' has neither n_out, out_dim nor a target");
    }
    const Data input = over_axis(concat_input_data(context.sources, context.name), context.behavior_version);
    const int rank = input.sparse() ? 2 : 3;
    if (!input.has_batch() || input.rank() != (input.has_time() ? rank : rank - 1)) {
      throw Error(ExitStatus::kConfig,
                  "a cell needs an input [B,T,F] or sparse [B,T], or one step of such in a loop, got " + input.str());
    }
    input_size(input);
    Data out;
    out.name = context.name;
    out.available_for_inference = input.available_for_inference;
    if (!input.has_time()) {
      out.dims = {input.dims[static_cast<size_t>(input.batch_axis())],
                  Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + ":output")};
      out.feature_axis = 1;
      return out;
    }
    out.dims = {input.time_dim(), input.dims[static_cast<size_t>(input.batch_axis())],
                Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + ":output")};
    out.time_axis = 0;
    out.feature_axis = 2;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    LayerOutput input = builder.input();
    input.data = over_axis(input.data, builder.context().behavior_version);
    RecInput rec;
    rec.n = builder.out_data().dims.back().size();
    rec.n_in = input_size(input.data);
    rec.sparse = input.data.sparse();
    rec.direction = static_cast<int>(args_.direction);
    rec.input_projection = args_.input_projection;
    rec.one_step = !input.data.has_time();
    read_inits(rec);
    rec.state_dims = {input.data.dims[static_cast<size_t>(input.data.batch_axis())], builder.out_data().dims.back()};
    rec.c0 = initial(builder, rec, args_.initial_state, "c");
    rec.h0 = initial(builder, rec, args_.initial_state, "h");
    return input.data.has_time() ? whole_sequence(builder, input, rec) : one_step(builder, input, rec);
  }

 private:
  /// The axis that the cell runs over is the time axis.
  Data over_axis(Data input, int behavior_version) const {
    if (!args_.axis.is_none()) {
      input.time_axis = axis_of_option(input, args_.axis, behavior_version);
    }
    return input;
  }

  Expr whole_sequence(LayerBuilder& builder, const LayerOutput& input, RecInput& rec) const {
    if (!args_.state.is_none()) {
      throw args_.state.error("'state' is of one step, and the input " + input.data.str() + " has a time axis")
          .hint("initial_state is the state before the first frame");
    }
    std::vector<int> order{input.data.time_axis, input.data.batch_axis()};
    if (!rec.sparse) {
      order.push_back(input.data.feature_axis);
    }
    rec.x = order == std::vector<int>{0, 1} || order == std::vector<int>{0, 1, 2} ? input.expr
                                                                                  : ops::permute(input.expr, order);
    const Dim time = input.data.time_dim();
    rec.lengths = time.is_dynamic() ? builder.lengths(time) : full_lengths(builder, rec, time.size());
    rec.mask = time.is_dynamic() ? builder.mask(time, true) : Expr{};
    const ops::RecurrentState state = unit_.build(builder, rec);
    add_last_states(builder, rec, state);
    return state.output;
  }

  /// Input [B,F], output [B,n]: a sequence of one frame, with the state of the step before.
  Expr one_step(LayerBuilder& builder, const LayerOutput& input, RecInput& rec) const {
    if (!builder.in_loop() && !is_cell_ && !unit_.any_frames && args_.state.is_none()) {
      throw Error(ExitStatus::kConfig, "the input " + input.data.str() + " has no time axis, and this is no loop");
    }
    const bool batch_first = input.data.batch_axis() == 0;
    rec.x = ops::expand_dims(batch_first ? input.expr : ops::permute(input.expr, {1, 0}), 0);
    rec.lengths = full_lengths(builder, rec, 1);
    if (builder.in_loop()) {
      builder.set_initial("", rec.h0);
      go_on_from(builder, rec, "last_h", unit_.single_state ? rec.c0 : rec.h0);
      if (is_pair()) {
        go_on_from(builder, rec, "last_c", rec.c0);
      }
    }
    for (Expr* own : {&rec.c0, &rec.h0}) {
      const Expr given = initial(builder, rec, args_.state, own == &rec.c0 ? "c" : "h");
      *own = given.defined() ? given : *own;
    }
    const ops::RecurrentState state = unit_.build(builder, rec);
    add_last_states(builder, rec, state);
    return ops::reshape(state.output, rec.state_dims);
  }

  /// In a loop: the state is that of the step before; before the first step it is what it was.
  static void go_on_from(LayerBuilder& builder, const RecInput& rec, const std::string& sub_output, Expr& state) {
    builder.set_initial(sub_output, state);
    state = builder.previous(sub_output, state_data(builder, rec)).expr;
  }

  static Expr full_lengths(LayerBuilder& builder, const RecInput& rec, int64_t size) {
    return ops::constant(builder.graph(), static_cast<double>(size), DType::kInt32, {rec.state_dims[0]});
  }

  static Data state_data(LayerBuilder& builder, const RecInput& rec) {
    Data data;
    data.name = builder.context().name + ":last";
    data.dims = rec.state_dims;
    data.feature_axis = 1;
    return data;
  }

  void add_last_states(LayerBuilder& builder, const RecInput& rec, const ops::RecurrentState& state) const {
    const Data last = state_data(builder, rec);
    builder.add_sub_output("last_h", {last, unit_.single_state ? state.last_c : state.last_h});
    if (state.last_c.defined() && is_pair()) {
      builder.add_sub_output("last_c", {last, state.last_c});
    }
    if (goes_on("h", 1)) {
      builder.keep(kept_name(builder, rec, "h"), unit_.single_state ? state.last_c : state.last_h);
    }
    if (is_pair() && goes_on("c", 0)) {
      builder.keep(kept_name(builder, rec, "c"), state.last_c);
    }
  }

  /// The state that a config gives has c and h.
  bool is_pair() const { return unit_.has_cell && !unit_.single_state; }

  void collect_refs(const Value& state) {
    if (state.is_string() && !is_state_keyword(state)) {
      if (std::find(refs_.begin(), refs_.end(), state.as_string()) == refs_.end()) {
        refs_.push_back(state.as_string());
      }
    } else if (state.is_sequence()) {
      for (const Value& item : state.items()) {
        collect_refs(item);
      }
    } else if (state.is_dict()) {
      for (const auto& [key, value] : state.entries()) {
        collect_refs(value);
      }
    }
  }

  /// Given one of the two weight initialisers, RETURNN uses it for both.
  void read_inits(RecInput& rec) const {
    const Value& forward = args_.forward_weights_init;
    const Value& recurrent = args_.recurrent_weights_init;
    rec.forward_init = forward.is_none() ? recurrent : forward;
    rec.recurrent_init = recurrent.is_none() ? forward : recurrent;
    rec.bias_init = args_.bias_init;
  }

  /// The entry for "c" or "h" of initial_state or state; undefined: zeros, or the state as it is.
  Expr initial(LayerBuilder& builder, const RecInput& rec, Value state, const std::string& key) const {
    if (key == (unit_.single_state ? "h" : "c") && !is_pair()) {
      return {};
    }
    if (state.is_dict()) {
      for (const std::string& name : state.keys()) {
        if (name != "h" && (name != "c" || !is_pair())) {
          throw state.find(name)->error(
              fmt::format("a state of this cell has {}, not '{}'", is_pair() ? "'c' and 'h'" : "'h' alone", name));
        }
      }
      const Value* entry = state.find(key);
      state = entry == nullptr ? Value() : *entry;
    } else if (state.is_sequence()) {
      const auto& items = state.items();
      if (items.size() != (is_pair() ? 2 : 1)) {
        throw state.error(fmt::format("one entry per state of the cell is needed, got {}", items.size()));
      }
      const size_t at = is_pair() && key == "h" ? 1 : 0;
      state = Value(items[at]);
    }
    if (state.is_none()) {
      return {};
    }
    if (state.is_number()) {
      return state.as_float() == 0 ? Expr{}
                                   : ops::constant(builder.graph(), state.as_float(), DType::kFloat32, rec.state_dims);
    }
    const std::string& word = state.as_string();
    if (word == "zeros") {
      return {};
    }
    if (word == "ones") {
      return ops::constant(builder.graph(), 1.0, DType::kFloat32, rec.state_dims);
    }
    if (word == "var") {
      const std::string name = scope_of_states(builder, rec) + "initial_" + (is_pair() ? key : "var");
      const Expr var = builder.param(name, Shape{rec.n}, Value(), "zeros");
      return ops::broadcast_to(ops::expand_dims(var, 0), rec.state_dims);
    }
    if (word == "keep_over_epoch") {
      return builder.kept(kept_name(builder, rec, key), state_data(builder, rec));
    }
    if (word == "keep_over_epoch_no_init" || word == "placeholder") {
      throw state
          .error("the state '" + word + "' is for graphs that other programs run: RETURNN cannot train it, either")
          .hint("\"keep_over_epoch\" goes on from batch to batch and starts each epoch with zeros");
    }
    return from_layer(builder.ref(word), state, rec);
  }

  /// Variables of the initial state belong to the layer itself where a loop calls it step by step.
  std::string scope_of_states(const LayerBuilder& builder, const RecInput& rec) const {
    return rec.one_step && builder.in_loop() ? "" : "rec/";
  }

  std::string kept_name(const LayerBuilder& builder, const RecInput& rec, const std::string& key) const {
    return scope_of_states(builder, rec) + "keep_state_" + (is_pair() ? key : "var");
  }

  /// The entry of the initial state for "c" or "h" is keep_over_epoch.
  bool goes_on(const std::string& key, size_t index) const {
    Value state = args_.initial_state;
    if (state.is_dict()) {
      const Value* entry = state.find(key);
      state = entry == nullptr ? Value() : *entry;
    } else if (state.is_sequence()) {
      state = Value(state.items()[is_pair() ? index : 0]);
    }
    return state.is_string() && state.as_string() == "keep_over_epoch";
  }

  Expr from_layer(const LayerOutput& layer, const Value& option, const RecInput& rec) const {
    const Data& data = layer.data;
    if (data.rank() != 2 || !data.has_batch() || data.feature_axis < 0 ||
        !data.dims[static_cast<size_t>(data.feature_axis)].same_size(rec.state_dims[1])) {
      throw option.error(fmt::format("the state must be [B,F|({})], got {}", rec.n, data.str()));
    }
    return data.batch_axis() == 0 ? layer.expr : ops::permute(layer.expr, {1, 0});
  }

  RecArgs args_;
  bool is_cell_;
  RecUnit unit_;
  std::vector<std::string> refs_;
};

/// One step in a loop; over a sequence it is the same as rec.
class RnnCellLayer : public RecLayer {
 public:
  explicit RnnCellLayer(const RnnCellArgs& args) : RecLayer(rec_args(args), true) {}

 private:
  static RecArgs rec_args(const RnnCellArgs& args) {
    RecArgs rec;
    rec.unit = args.unit;
    rec.unit_opts = args.unit_opts;
    rec.initial_state = args.initial_state;
    rec.state = args.state;
    rec.forward_weights_init = args.weights_init;
    return rec;
  }
};

const RegisterLayer<RnnCellLayer, RnnCellArgs> kRegisterCell{
    "rnn_cell",
    {},
    "One step of a recurrent cell, in the unit of a rec layer; over a whole sequence the same as rec.",
    {R"({"class": "rnn_cell", "unit": "BasicLSTM", "n_out": 3, "from": "data"})",
     R"({"class": "rec", "from": "data", "unit": {"output": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, )"
     R"("from": ["data:source", "prev:output"]}}})"}};

const RegisterLayer<RecLayer, RecArgs> kRegister{
    "rec",
    {},
    "A recurrent cell, or a unit of layers, over time; the output is [T,B,F].",
    {R"({"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"})",
     R"({"class": "rec", "unit": "gru", "n_out": 3, "direction": -1, "from": "data"})",
     R"({"class": "rec", "unit": "standardlstm", "n_out": 3, "initial_state": "var", "from": "data"})",
     R"({"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data:classes"})",
     R"({"class": "rec", "from": "data", "unit": {"output": {"class": "linear", "activation": "tanh", "n_out": 3, )"
     R"("from": ["data:source", "prev:output"]}}})"}};

}  // namespace
}  // namespace wende
