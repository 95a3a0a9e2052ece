#include <fmt/core.h>

#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/leaf.h"
#include "ops/matmul.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"
#include "ops/softmax.h"

namespace wende {
namespace {

struct AttentionArgs {
  Value base, base_ctx;

  template <class V>
  void fields(V& v) {
    v.field("base", base, "layer whose frames are summed up, [B,T,F]");
    v.field("base_ctx", base_ctx, "layer whose frames are compared with the input, [B,T,F]");
  }
};

struct DotAttentionArgs : AttentionArgs {
  Value energy_factor;

  template <class V>
  void fields(V& v) {
    AttentionArgs::fields(v);
    v.field("energy_factor", energy_factor, "factor of the energies");
  }
};

/// As [B,T,F], or [B,F] without time axis.
Expr batch_major(const LayerOutput& x) {
  std::vector<int> order{x.data.batch_axis()};
  if (x.data.has_time()) {
    order.push_back(x.data.time_axis);
  }
  order.push_back(x.data.feature_axis);
  return permute_if_needed(x.expr, order);
}

/// Energies of the frames of base_ctx, softmax over the valid ones, and the sum of base with these weights.
class AttentionLayer : public Layer {
 public:
  explicit AttentionLayer(AttentionArgs args) : base_(args.base), base_ctx_(args.base_ctx) {}

  std::vector<std::string> refs() const override { return {base_.as_string(), base_ctx_.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data& base = context.refs.at(base_.as_string());
    const Data& keys = context.refs.at(base_ctx_.as_string());
    check_frames(base, base_);
    check_frames(keys, base_ctx_);
    if (!base.time_dim().same_size(keys.time_dim())) {
      throw base_ctx_.error(fmt::format("base {} and base_ctx {} have different frames", base.str(), keys.str()));
    }
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("attention takes one input, got {}", context.sources.size()));
    }
    const Data& query = context.sources[0];
    const bool fits = query.has_batch() && query.feature_axis >= 0 && query.rank() == (query.has_time() ? 3 : 2);
    if (!fits || !query.feature_or_sparse_dim().same_size(keys.feature_or_sparse_dim())) {
      throw context.options.error(
          fmt::format("the input {} must be [B,F] with the features of base_ctx {}", query.str(), keys.str()));
    }
    Data out;
    out.name = context.name;
    out.dims = {base.dims[static_cast<size_t>(base.batch_axis())]};
    if (query.has_time()) {
      out.dims.push_back(query.time_dim());
      out.time_axis = 1;
    }
    out.dims.push_back(base.feature_or_sparse_dim());
    out.feature_axis = out.rank() - 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput base = builder.ref(base_.as_string());
    const LayerOutput keys = builder.ref(base_ctx_.as_string());
    const LayerOutput query = builder.input();
    const bool one = !query.data.has_time();
    const Expr rows = one ? ops::expand_dims(batch_major(query), 1) : batch_major(query);
    Expr energy = energies(builder, rows, batch_major(keys));
    if (keys.data.time_dim().is_dynamic()) {
      const Expr valid = ops::expand_dims(builder.mask(keys.data.time_dim(), false), 1);
      energy = ops::where(valid, energy, ops::constant(builder.graph(), -1e30));
    }
    const Expr sum = ops::batch_matmul(ops::softmax(energy), batch_major(base));
    return one ? ops::squeeze(sum, 1) : sum;
  }

 protected:
  /// rows [B,Q,F], keys [B,T,F] -> [B,Q,T]
  virtual Expr energies(LayerBuilder& builder, Expr rows, Expr keys) const = 0;

 private:
  static void check_frames(const Data& data, const Value& option) {
    if (data.rank() != 3 || !data.has_batch() || !data.has_time() || data.feature_axis < 0) {
      throw option.error("attention needs frames [B,T,F], got " + data.str());
    }
  }

  Value base_, base_ctx_;
};

class DotAttentionLayer : public AttentionLayer {
 public:
  explicit DotAttentionLayer(const DotAttentionArgs& args) : AttentionLayer(args) {
    if (!args.energy_factor.is_none()) {
      factor_ = args.energy_factor.as_float();
    }
  }

 protected:
  Expr energies(LayerBuilder&, Expr rows, Expr keys) const override {
    const Expr energy = ops::batch_matmul(rows, keys, false, true);
    return factor_ == 1.0 ? energy : ops::scale(energy, factor_);
  }

 private:
  double factor_ = 1.0;
};

class ConcatAttentionLayer : public AttentionLayer {
 public:
  explicit ConcatAttentionLayer(const AttentionArgs& args) : AttentionLayer(args) {}

 protected:
  Expr energies(LayerBuilder& builder, Expr rows, Expr keys) const override {
    const Expr v = builder.param("v", Shape{keys.dim(2).size()}, Value(), "glorot_uniform");
    const Expr hidden = ops::unary(ops::Unary::kTanh, ops::add(ops::expand_dims(keys, 1), ops::expand_dims(rows, 2)));
    const Expr column = ops::expand_dims(v, 1);
    return ops::squeeze(ops::linear(hidden, column), 3);
  }
};

const RegisterLayer<DotAttentionLayer, DotAttentionArgs> kRegisterDot{
    "dot_attention",
    {},
    "Attention with dot products of the input and base_ctx as energies: sums up the frames of base.",
    {R"({"class": "rec", "from": "data", "unit": {"output": {"class": "dot_attention", "from": "data:source", )"
     R"("base": "base:data", "base_ctx": "base:data"}}})"}};

const RegisterLayer<ConcatAttentionLayer, AttentionArgs> kRegisterConcat{
    "concat_attention",
    {},
    "Attention with v * tanh(base_ctx + input) as energies: sums up the frames of base.",
    {R"({"class": "rec", "from": "data", "unit": {"output": {"class": "concat_attention", "from": "data:source", )"
     R"("base": "base:data", "base_ctx": "base:data"}}})"}};

}  // namespace
}  // namespace wende
