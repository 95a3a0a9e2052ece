#include <fmt/core.h>

#include <cmath>

#include "layers/attention_keys.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/dropout.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct SelfAttentionArgs {
  int64_t num_heads = 1;
  int64_t total_key_dim = 0;
  Value key_shift, forward_weights_init, restrict_state_to_last_seq, state_var_lengths;
  double attention_dropout = 0.0;
  bool attention_left_only = false;

  template <class V>
  void fields(V& v) {
    v.field("num_heads", num_heads, "how many attentions run side by side");
    v.field("total_key_dim", total_key_dim, "size of keys and queries, all heads together");
    v.field("key_shift", key_shift, "layer [T,T,key per head] that queries are compared with as well");
    v.field("forward_weights_init", forward_weights_init, "initialiser of QKV (glorot_uniform)");
    v.field("attention_dropout", attention_dropout, "drop rate of the attention weights in training");
    v.field("attention_left_only", attention_left_only, "a frame sees no later ones");
    v.field("restrict_state_to_last_seq", restrict_state_to_last_seq, "in loops only");
    v.field("state_var_lengths", state_var_lengths, "not supported");
  }
};

/// Multi-head attention of a sequence on itself: queries, keys and values are one product with QKV.
class SelfAttentionLayer : public Layer {
 public:
  explicit SelfAttentionLayer(SelfAttentionArgs args) : args_(std::move(args)) {
    if (args_.num_heads < 1 || args_.total_key_dim < 1 || args_.total_key_dim % args_.num_heads != 0) {
      throw Error(ExitStatus::kConfig, fmt::format("total_key_dim must be a multiple of num_heads, got {} and {}",
                                                   args_.total_key_dim, args_.num_heads));
    }
    if (!args_.state_var_lengths.is_none()) {
      throw args_.state_var_lengths.error("state_var_lengths is not supported by Wende " WENDE_VERSION);
    }
  }

  std::vector<std::string> refs() const override {
    return args_.key_shift.is_none() ? std::vector<std::string>{}
                                     : std::vector<std::string>{args_.key_shift.as_string()};
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    if (!context.n_out || *context.n_out % args_.num_heads != 0) {
      throw context.options.error("self_attention needs n_out, a multiple of num_heads");
    }
    for (const std::string& name : {std::string("initial_state"), std::string("state")}) {
      if (const Value* state = context.options.find(name); state && !state->is_none()) {
        throw state->error(name + " of self_attention is not supported by Wende " WENDE_VERSION);
      }
    }
    const int rank = (x.sparse() ? 1 : 2) + (x.has_time() ? 1 : 0);
    if (!x.has_batch() || x.rank() != rank || (!x.has_time() && !context.loop_time.defined())) {
      throw context.options.error("self_attention needs [B,T,F], or sparse [B,T], or one step of these, got " +
                                  x.str());
    }
    Data out;
    out.name = context.name;
    if (!x.has_time()) {
      if (!args_.attention_left_only) {
        throw context.options.error("self_attention in a loop sees earlier frames only: set attention_left_only");
      }
      out.dims = {x.dims[static_cast<size_t>(x.batch_axis())],
                  Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + "_self_att_feat")};
      out.feature_axis = 1;
      return out;
    }
    out.dims = {x.dims[static_cast<size_t>(x.batch_axis())], x.time_dim(),
                Dim::fixed(*context.n_out, Dim::Kind::kFeature, context.absolute_name + "_self_att_feat")};
    out.time_axis = 1;
    out.feature_axis = 2;
    out.available_for_inference = x.available_for_inference;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const int64_t n_value = out.dims.back().size();
    const Expr x = projected(builder, 2 * args_.total_key_dim + n_value);  // [B,H,T,q+k+v]
    const int64_t key = args_.total_key_dim / args_.num_heads;
    const int64_t value = n_value / args_.num_heads;
    const auto part = [&](int64_t begin, int64_t size) {
      return ops::slice(x, 3, begin, begin + size, 1, Dim::fixed(size));
    };
    const Expr q = ops::scale(part(0, key), 1.0 / std::sqrt(static_cast<double>(key)));
    const Memory memory = out.has_time() ? Memory{part(key, key), part(2 * key, value), visible(builder, out)}
                                         : remembered(builder, part(key, key), part(2 * key, value));
    Expr energy = ops::batch_matmul(q, memory.keys, false, true);  // [B,H,T,T]
    if (!args_.key_shift.is_none()) {
      energy = ops::add(energy, shift(builder, q, memory.keys.dim(2)));
    }
    if (memory.visible.defined()) {
      energy = ops::where(memory.visible, energy, ops::constant(builder.graph(), -1e30));
    }
    Expr weights = ops::softmax(energy);
    if (args_.attention_dropout > 0 && builder.context().train) {
      weights = ops::mul(weights, ops::dropout_mask(builder.graph(), weights.dims(), 1.0 - args_.attention_dropout,
                                                    builder.random_key("attention_dropout")));
    }
    const Expr y = ops::batch_matmul(weights, memory.values);  // [B,H,T,v]
    return ops::reshape(ops::permute(y, {0, 2, 1, 3}), out.dims);
  }

 private:
  struct Memory {
    Expr keys, values;  ///< [B,H,T,k] and [B,H,T,v]
    Expr visible;       ///< which of them a query sees; undefined: all
  };

  /// In a loop: the keys and values of this frame [B,H,1,k] behind those of the frames before. Each sequence counts for
  /// itself, so that masked_computation can leave frames out.
  Memory remembered(LayerBuilder& builder, Expr key, Expr value) const {
    Graph& graph = builder.graph();
    Data count;
    count.dims = {key.dim(0)};
    count.dtype = DType::kInt32;
    builder.set_initial("position", ops::constant(graph, -1.0, DType::kInt32, count.dims));
    const Expr position = ops::add(builder.previous("position", count).expr, ops::int_constant(graph, 1));
    builder.add_sub_output("position", {count, position});
    const Dim keys = attention_keys(builder.context().loop_time);
    const Expr place = along_axis(ops::range(graph, keys), 2, 4);
    const Expr now = along_axis(position, 0, 4);
    const auto append = [&](const char* name, Expr frame) {
      Data data;
      data.name = name;
      data.dims = {frame.dim(0), frame.dim(1), keys, frame.dim(3)};
      data.feature_axis = 3;
      builder.set_initial(name, {});
      const Expr all =
          ops::where(ops::binary(ops::Binary::kEqual, place, now), frame, builder.previous(name, data).expr);
      builder.add_sub_output(name, {data, all});
      return all;
    };
    return {append("k_left", key), append("v_left", value),
            ops::binary(ops::Binary::kLessEqual, along_axis(ops::range(graph, keys), 3, 4), now)};
  }

  Expr projected(LayerBuilder& builder, int64_t n) const {
    const LayerOutput input = builder.input();
    const int64_t n_in = input_size(input.data);
    const Expr mat = builder.param("QKV", Shape{n_in, n}, args_.forward_weights_init, "glorot_uniform");
    std::vector<int> order{input.data.batch_axis()};
    if (input.data.has_time()) {
      order.push_back(input.data.time_axis);
    }
    if (!input.data.sparse()) {
      order.push_back(input.data.feature_axis);
    }
    Expr frames = permute_if_needed(input.expr, order);
    frames = input.data.has_time() ? frames : ops::expand_dims(frames, 1);
    const Expr y = input.data.sparse() ? ops::look_up(mat, frames) : ops::linear(frames, mat);
    const Dim heads = Dim::fixed(args_.num_heads, Dim::Kind::kSpatial);
    return ops::permute(ops::reshape(y, {y.dim(0), y.dim(1), heads, Dim::fixed(n / args_.num_heads)}), {0, 2, 1, 3});
  }

  /// What each query gives with the row of key_shift for its place: [B,H,Q,T].
  Expr shift(LayerBuilder& builder, Expr q, const Dim& keys) const {
    const Expr rows = builder.ref(args_.key_shift.as_string()).expr;
    const Dim& queries = q.dim(2);
    if (rows.rank() != 3 || !rows.dim(2).same_size(q.dim(3)) || !rows.dim(0).same_size(queries) ||
        !rows.dim(1).same_size(keys)) {
      throw args_.key_shift.error(
          fmt::format("key_shift must be [T,T,F|({})], got {}", q.dim(3).size(), rows.type().str()));
    }
    const Expr by_time = ops::permute(q, {2, 0, 1, 3});  // [Q,B,H,k]
    const Dim sets = Dim::derived(Dim::Op::kMul, {q.dim(0), q.dim(1)});
    const Expr energy = ops::batch_matmul(ops::reshape(by_time, {queries, sets, q.dim(3)}), rows, false, true);
    return ops::permute(ops::reshape(energy, {queries, q.dim(0), q.dim(1), keys}), {1, 2, 0, 3});
  }

  /// Which keys a query may see: [B or 1,1,T or 1,T]. Undefined: all.
  Expr visible(LayerBuilder& builder, const Data& out) const {
    const Dim& time = out.dims[1];
    if (args_.attention_left_only) {
      const Expr place = ops::range(builder.graph(), time);
      const Expr query = ops::expand_dims(place, 1);
      const Expr key = ops::expand_dims(place, 0);
      return ops::expand_dims(ops::expand_dims(ops::binary(ops::Binary::kLessEqual, key, query), 0), 0);
    }
    if (time.is_static()) {
      return {};
    }
    return ops::expand_dims(ops::expand_dims(builder.mask(time, false), 1), 1);
  }

  SelfAttentionArgs args_;
};

const RegisterLayer<SelfAttentionLayer, SelfAttentionArgs> kRegister{
    "self_attention",
    {},
    "Multi-head attention of a sequence on itself.",
    {R"({"class": "self_attention", "num_heads": 2, "total_key_dim": 4, "n_out": 6, "from": "data"})",
     R"({"class": "self_attention", "num_heads": 1, "total_key_dim": 3, "n_out": 2, "attention_left_only": True, "from": "data"})"}};

}  // namespace
}  // namespace wende
