#include <algorithm>

#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/cumsum.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct UnmaskArgs {
  std::string mask;
  Value skip_initial;

  template <class V>
  void fields(V& v) {
    v.field("mask", mask, "the mask of the masked_computation");
    v.field("skip_initial", skip_initial, "not supported");
  }
};

/// Puts the frames of a masked_computation back to where the mask is true; elsewhere the last one stays, and 0 before
/// the first. Only with masked_from there is something to do: else the output has all frames already.
class UnmaskLayer : public Layer {
 public:
  explicit UnmaskLayer(UnmaskArgs args) : args_(std::move(args)) {
    if (args_.mask.empty()) {
      throw Error(ExitStatus::kConfig, "unmask needs a layer 'mask'");
    }
    if (!args_.skip_initial.is_none()) {
      throw args_.skip_initial.error("skip_initial is not supported by Wende " WENDE_VERSION);
    }
  }

  std::vector<std::string> refs() const override { return {args_.mask}; }

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error("unmask takes one input");
    }
    const Data& x = context.sources[0];
    const Data& mask = context.refs.at(args_.mask);
    const int rank = mask.has_time() ? 2 : 1;
    if (mask.dtype != DType::kBool || !mask.has_batch() || mask.rank() != rank) {
      throw context.options.find("mask")->error("mask must be bool [B], of all frames [B,T], got " + mask.str());
    }
    packed_ = x.has_time() && (!mask.has_time() || x.axis_of(mask.time_dim()) < 0);
    if (!packed_) {
      return x.with_name(context.name);
    }
    if (!x.has_batch()) {
      throw context.options.error("unmask needs an input with a batch axis, got " + x.str());
    }
    Data out = x.permuted(frames_first(x)).without_axis(0);
    out.name = context.name;
    if (mask.has_time()) {
      out = out.with_axis(0, mask.time_dim());
      out.time_axis = 0;
    } else {
      out.time_axis = -1;
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    out_data(builder.context());
    const LayerOutput x = builder.source(0);
    if (!packed_) {
      return x.expr;
    }
    Graph& graph = builder.graph();
    const Expr frames = permute_if_needed(x.expr, frames_first(x.data));  // [S,B,...]
    const LayerOutput mask = builder.ref(args_.mask);
    const Expr count = mask.data.has_time() ? counts(mask) : counted_so_far(builder, mask.expr);  // [T,B] or [B]
    const auto number = [&](int64_t value) { return ops::int_constant(graph, value); };
    const Expr last = ops::reduce(ops::Reduction::kMax, ops::range(graph, frames.dim(0)), {0});
    Expr place = ops::binary(ops::Binary::kMaximum, ops::sub(count, number(1)), number(0));
    place = ops::binary(ops::Binary::kMinimum, place, last);
    const Expr batches = ops::add(ops::reduce(ops::Reduction::kMax, ops::range(graph, frames.dim(1)), {0}), number(1));
    Expr sequence = ops::range(graph, frames.dim(1));
    sequence = count.rank() == 2 ? ops::expand_dims(sequence, 0) : sequence;
    std::vector<Dim> rows{Dim::derived(Dim::Op::kMul, {frames.dim(0), frames.dim(1)})};
    rows.insert(rows.end(), frames.dims().begin() + 2, frames.dims().end());
    const Expr y = ops::gather(ops::reshape(frames, rows), ops::add(ops::mul(place, batches), sequence));
    Expr any = ops::binary(ops::Binary::kGreater, count, number(0));
    while (any.rank() < y.rank()) {
      any = ops::expand_dims(any, any.rank());
    }
    return ops::where(any, y, ops::constant(graph, 0.0, y.dtype()));
  }

 private:
  static std::vector<int> frames_first(const Data& x) {
    return order_with_first(x.rank(), {x.time_axis, x.batch_axis()});
  }

  /// How many frames of the mask were true up to each one: [T,B].
  static Expr counts(const LayerOutput& mask) {
    const Expr by_time = permute_if_needed(mask.expr, {mask.data.time_axis, mask.data.batch_axis()});
    return ops::cumsum(ops::cast(by_time, DType::kInt32), 0, false);
  }

  static Expr counted_so_far(LayerBuilder& builder, Expr mask) {
    Data data;
    data.dims = mask.dims();
    data.dtype = DType::kInt32;
    builder.set_initial("count", {});
    const Expr count = ops::add(builder.previous("count", data).expr, ops::cast(mask, DType::kInt32));
    builder.add_sub_output("count", {data, count});
    return count;
  }

  UnmaskArgs args_;
  bool packed_ = false;
};

const RegisterLayer<UnmaskLayer, UnmaskArgs> kRegister{
    "unmask",
    {},
    "The output of masked_computation on all frames: the last one stays where the mask is false.",
    {R"({"class": "rec", "from": "data", "unit": {)"
     R"("sum": {"class": "reduce", "mode": "sum", "axis": "F", "from": "data:source"}, )"
     R"("mask": {"class": "compare", "kind": "greater", "value": 0.0, "from": "sum"}, )"
     R"("masked": {"class": "masked_computation", "mask": "mask", "from": "data:source", )"
     R"("unit": {"class": "rnn_cell", "unit": "LSTMBlock", "n_out": 3, "from": "data"}}, )"
     R"("output": {"class": "unmask", "mask": "mask", "from": "masked"}}})"}};

}  // namespace
}  // namespace wende
