#include <fmt/core.h>

#include <algorithm>
#include <cctype>

#include "layers/concat_input.h"
#include "layers/rec_unit.h"
#include "ops/leaf.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct RecArgs {
  Value unit, unit_opts, forward_weights_init, recurrent_weights_init, bias_init, initial_state, max_seq_len, axis;
  int64_t direction = 1;
  bool input_projection = true;
  Value optimize_move_layers_out, unroll, use_global_rec_step_offset, include_eos, cheating, debug, back_prop;

  template <class V>
  void fields(V& v) {
    v.field("unit", unit, "cell name, e.g. \"lstm\"");
    v.field("unit_opts", unit_opts, "dict of cell options: forget_bias");
    v.field("direction", direction, "1, or -1 for backward in time");
    v.field("input_projection", input_projection, "multiplies the input by a matrix; must be True");
    v.field("forward_weights_init", forward_weights_init, "initialiser of W (xavier)");
    v.field("recurrent_weights_init", recurrent_weights_init, "initialiser of W_re (xavier)");
    v.field("bias_init", bias_init, "initialiser of the bias (0)");
    v.field("initial_state", initial_state, "None, 0, 1, \"var\", a layer, or a dict or list of these for c and h");
    v.field("max_seq_len", max_seq_len, "of subnetworks only; ignored for cells");
    v.field("axis", axis, "the time axis; the default time axis if not given");
    v.field("optimize_move_layers_out", optimize_move_layers_out, "of subnetworks only; ignored for cells");
    v.field("unroll", unroll, "accepted; the result is the same");
    v.field("use_global_rec_step_offset", use_global_rec_step_offset, "of subnetworks only; ignored for cells");
    v.field("include_eos", include_eos, "of subnetworks only; ignored for cells");
    v.field("cheating", cheating, "of subnetworks only; ignored for cells");
    v.field("debug", debug, "accepted; has no effect");
    v.field("back_prop", back_prop, "accepted; gradients follow the losses");
  }
};

bool is_state_keyword(const Value& value) {
  static const std::vector<std::string> words{"zeros", "ones", "var"};
  return value.is_string() && std::find(words.begin(), words.end(), value.as_string()) != words.end();
}

class RecLayer : public Layer {
 public:
  explicit RecLayer(RecArgs args) : args_(std::move(args)) {
    if (args_.unit.is_dict()) {
      throw args_.unit.error("'rec' subnetworks are not supported by Wende " WENDE_VERSION);
    }
    if (args_.unit.is_none()) {
      args_.unit = Value::of("lstm");
    }
    unit_ = find_rec_unit(args_.unit);
    if (args_.direction != 1 && args_.direction != -1) {
      throw Error(ExitStatus::kConfig, fmt::format("direction must be 1 or -1, got {}", args_.direction));
    }
    if (!args_.input_projection) {
      throw Error(ExitStatus::kConfig, "input_projection False is not supported by Wende " WENDE_VERSION);
    }
    collect_refs(args_.initial_state);
  }

  std::vector<std::string> refs() const override { return refs_; }

  Data out_data(const LayerContext& context) override {
    if (!context.n_out) {
      throw context.options.error("n_out missing and cannot be derived: rec layer '" + context.name +
                                  "' has neither n_out, out_dim nor a target");
    }
    const Data input = concat_input_data(context.sources, context.name);
    if (!input.has_batch() || !input.has_time() || input.rank() != (input.sparse() ? 2 : 3)) {
      throw Error(ExitStatus::kConfig,
                  "rec needs an input with batch and time axis, [B,T,F] or sparse [B,T], got " + input.str());
    }
    input_size(input);
    Data out;
    out.name = context.name;
    out.dims = {input.time_dim(), input.dims[static_cast<size_t>(input.batch_axis())],
                Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + ":output")};
    out.time_axis = 0;
    out.feature_axis = 2;
    out.available_for_inference = input.available_for_inference;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput input = builder.input();
    RecInput rec;
    rec.n = builder.out_data().dims[2].size();
    rec.n_in = input_size(input.data);
    rec.sparse = input.data.sparse();
    std::vector<int> order{input.data.time_axis, input.data.batch_axis()};
    if (!rec.sparse) {
      order.push_back(input.data.feature_axis);
    }
    rec.x = order == std::vector<int>{0, 1} || order == std::vector<int>{0, 1, 2} ? input.expr
                                                                                  : ops::permute(input.expr, order);
    rec.lengths = builder.lengths(input.data.time_dim());
    rec.direction = static_cast<int>(args_.direction);
    read_inits(rec);
    rec.state_dims = {input.data.dims[static_cast<size_t>(input.data.batch_axis())], builder.out_data().dims[2]};
    rec.c0 = initial(builder, rec, "c", 0);
    rec.h0 = initial(builder, rec, "h", 1);
    const ops::RecurrentState state = unit_.build(builder, rec);
    Data last;
    last.name = builder.context().name + ":last";
    last.dims = rec.state_dims;
    last.feature_axis = 1;
    builder.add_sub_output("last_h", {last, state.last_h});
    if (state.last_c.defined()) {
      builder.add_sub_output("last_c", {last, state.last_c});
    }
    return state.output;
  }

 private:
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
    if (const Value* bias = args_.unit_opts.is_dict() ? args_.unit_opts.find("forget_bias") : nullptr) {
      rec.forget_bias = bias->as_float();
    }
  }

  /// The entry for "c" or "h" of the initial state; undefined = zeros.
  Expr initial(LayerBuilder& builder, const RecInput& rec, const std::string& key, size_t index) const {
    if (key == "c" && !unit_.has_cell) {
      return {};
    }
    Value state = args_.initial_state;
    if (state.is_dict()) {
      const Value* entry = state.find(key);
      state = entry == nullptr ? Value() : *entry;
    } else if (state.is_sequence()) {
      const auto& items = state.items();
      const size_t at = unit_.has_cell ? index : 0;
      if (at >= items.size()) {
        throw state.error("initial_state needs one entry per state of the cell");
      }
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
      const Expr var = builder.param("rec/initial_" + key, Shape{rec.n}, Value(), "zeros");
      return ops::broadcast_to(ops::expand_dims(var, 0), rec.state_dims);
    }
    return from_layer(builder.ref(word), state, rec);
  }

  Expr from_layer(const LayerOutput& layer, const Value& option, const RecInput& rec) const {
    const Data& data = layer.data;
    if (data.rank() != 2 || !data.has_batch() || data.feature_axis < 0 ||
        !data.dims[static_cast<size_t>(data.feature_axis)].same_size(rec.state_dims[1])) {
      throw option.error(fmt::format("initial_state layer must be [B,F|({})], got {}", rec.n, data.str()));
    }
    return data.batch_axis() == 0 ? layer.expr : ops::permute(layer.expr, {1, 0});
  }

  RecArgs args_;
  RecUnit unit_;
  std::vector<std::string> refs_;
};

const RegisterLayer<RecLayer, RecArgs> kRegister{
    "rec",
    {},
    "A recurrent cell over time; the output is [T,B,F].",
    {R"({"class": "rec", "unit": "lstm", "n_out": 3, "from": "data"})",
     R"({"class": "rec", "unit": "gru", "n_out": 3, "direction": -1, "from": "data"})",
     R"({"class": "rec", "unit": "standardlstm", "n_out": 3, "initial_state": "var", "from": "data"})",
     R"({"class": "rec", "unit": "nativelstm2", "n_out": 3, "from": "data:classes"})"}};

}  // namespace
}  // namespace wende
