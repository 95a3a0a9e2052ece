#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/sequence.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct FlattenBatchArgs {
  Value axis;
  bool batch_major = true;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "the axis that joins the batch axis (time)");
    v.field("batch_major", batch_major, "all frames of one sequence stand together; else all sequences of one frame");
  }
};

/// Batch and another axis as one batch axis, without padded frames.
class FlattenBatchLayer : public Layer {
 public:
  explicit FlattenBatchLayer(FlattenBatchArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    axis_ = axis_or_time(x, args_.axis, context.behavior_version);
    if (!x.has_batch() || axis_ == x.batch_axis()) {
      throw context.options.error("flatten_batch needs a batch axis and another one, got " + x.str());
    }
    const Dim& batch = x.dims[static_cast<size_t>(x.batch_axis())];
    const Dim& time = x.dims[static_cast<size_t>(axis_)];
    order_ = args_.batch_major ? order_with_first(x.rank(), {x.batch_axis(), axis_})
                               : order_with_first(x.rank(), {axis_, x.batch_axis()});
    const auto parts = args_.batch_major ? std::vector<Dim>{batch, time} : std::vector<Dim>{time, batch};
    const Dim::Op op = time.is_dynamic() ? Dim::Op::kPacked : Dim::Op::kMul;
    Data out = x.permuted(order_).without_axis(args_.batch_major ? 1 : 0);
    out.dims[0] = Dim::derived(op, parts, Dim::Kind::kBatch);
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const Expr x = permute_if_needed(builder.input().expr, order_);
    const bool dynamic = out.dims[0].op() == Dim::Op::kPacked;
    if (!dynamic) {
      return ops::reshape(x, out.dims);
    }
    if (args_.batch_major) {
      return ops::reshape(ops::pack(x, 0, 1), out.dims);
    }
    const Expr places = ops::packed_places(builder.graph(), x.dim(1), x.dim(0));
    std::vector<Dim> rows{Dim::derived(Dim::Op::kMul, {x.dim(0), x.dim(1)})};
    rows.insert(rows.end(), x.dims().begin() + 2, x.dims().end());
    return ops::reshape(ops::gather(ops::reshape(x, rows), places), out.dims);
  }

 private:
  FlattenBatchArgs args_;
  int axis_ = 0;
  std::vector<int> order_;
};

struct NoArgs {
  template <class V>
  void fields(V&) {}
};

/// What flatten_batch made one, as two again.
class UnflattenBatchLayer : public Layer {
 public:
  explicit UnflattenBatchLayer(NoArgs) {}

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const int batch = x.batch_axis();
    const Dim packed = batch < 0 ? Dim() : x.dims[static_cast<size_t>(batch)];
    if (!packed.defined() || (packed.op() != Dim::Op::kPacked && packed.op() != Dim::Op::kMul)) {
      throw context.options.error("unflatten_batch needs the output of flatten_batch, got " + x.str());
    }
    order_ = order_with_first(x.rank(), {batch});
    Data out = x.permuted(order_);
    out.dims[0] = packed.operands()[0];
    out = out.with_axis(1, packed.operands()[1]);
    out.time_axis = out.time_axis < 0 ? (out.dims[0].is_batch() ? 1 : 0) : out.time_axis;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    const LayerOutput source = builder.input();
    const Expr x = permute_if_needed(source.expr, order_);
    const Dim& first = out.dims[0];
    const Dim& second = out.dims[1];
    if (x.dim(0).op() != Dim::Op::kPacked) {
      return ops::reshape(x, out.dims);
    }
    std::vector<Dim> packed = x.dims();
    packed[0] = Dim::derived(Dim::Op::kPacked, {first.is_batch() ? first : second, first.is_batch() ? second : first});
    if (first.is_batch()) {
      return ops::unpack(ops::reshape(x, packed), first, second, false);
    }
    const Expr y = ops::gather(x, ops::unpacked_places(builder.graph(), second, first));
    Expr mask = builder.mask(first, true);
    while (mask.rank() < y.rank()) {
      mask = ops::expand_dims(mask, mask.rank());
    }
    return ops::where(mask, y, ops::constant(builder.graph(), 0.0, y.dtype()));
  }

 private:
  std::vector<int> order_;
};

struct SplitBatchTimeArgs {
  Value base;

  template <class V>
  void fields(V& v) {
    v.field("base", base, "layer whose batch and time axes were merged");
  }
};

/// [B*T,...] as [B,T,...].
class SplitBatchTimeLayer : public Layer {
 public:
  explicit SplitBatchTimeLayer(SplitBatchTimeArgs args) : args_(std::move(args)) {
    if (!args_.base.is_string()) {
      throw args_.base.error("split_batch_time needs 'base': a layer, got " + args_.base.repr());
    }
  }
  std::vector<std::string> refs() const override { return {args_.base.as_string()}; }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const Data& base = context.refs.at(args_.base.as_string());
    if (!x.has_batch() || !base.has_batch() || !base.has_time()) {
      throw context.options.error("split_batch_time needs a batch axis, and a base with batch and time axis");
    }
    order_ = order_with_first(x.rank(), {x.batch_axis()});
    Data out = x.permuted(order_);
    out.dims[0] = base.dims[static_cast<size_t>(base.batch_axis())];
    out = out.with_axis(1, base.time_dim());
    out.time_axis = 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data out = out_data(builder.context());
    return ops::reshape(permute_if_needed(builder.input().expr, order_), out.dims);
  }

 private:
  SplitBatchTimeArgs args_;
  std::vector<int> order_;
};

const RegisterLayer<FlattenBatchLayer, FlattenBatchArgs> kRegister{
    "flatten_batch",
    {},
    "Batch and time as one batch axis, without padded frames.",
    {R"({"class": "flatten_batch", "from": "data"})",
     R"({"class": "flatten_batch", "batch_major": False, "from": "data"})"}};
const RegisterLayer<UnflattenBatchLayer, NoArgs> kRegisterUnflatten{
    "unflatten_batch",
    {},
    "The inverse of flatten_batch.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("x": {"class": "flatten_batch", "batch_major": False, "from": "data"}, )"
     R"("output": {"class": "unflatten_batch", "from": "x"}}})"}};
const RegisterLayer<SplitBatchTimeLayer, SplitBatchTimeArgs> kRegisterSplit{
    "split_batch_time",
    {},
    "The inverse of merging batch and time.",
    {R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("x": {"class": "merge_dims", "axes": ["B", "T"], "from": "data"}, )"
     R"("output": {"class": "split_batch_time", "base": "data", "from": "x"}}})"}};

}  // namespace
}  // namespace wende
