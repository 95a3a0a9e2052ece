#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/concat_input.h"
#include "ops/check.h"
#include "ops/cumsum.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct RepeatArgs {
  Value repetitions, axis;

  template <class V>
  void fields(V& v) {
    v.field("repetitions", repetitions,
            "how often each element comes: a number, or a layer of int32 numbers [B,T], [T] or []");
    v.field("axis", axis, "along which axis (time)");
  }
};

/// Each element several times; the axis comes directly behind the batch axis.
class RepeatLayer : public Layer {
 public:
  explicit RepeatLayer(RepeatArgs args) : args_(std::move(args)) {
    const bool number = args_.repetitions.kind() == Value::Kind::kInt && args_.repetitions.as_int() > 0;
    if (!number && !by_layer()) {
      throw args_.repetitions.error("repetitions must be a number > 0 or the name of a layer, got " +
                                    args_.repetitions.repr());
    }
  }

  std::vector<std::string> refs() const override {
    return by_layer() ? std::vector<std::string>{args_.repetitions.as_string()} : std::vector<std::string>{};
  }

  Data out_data(const LayerContext& context) override {
    const Data x = concat_input_data(context.sources, context.name);
    const int axis = axis_or_time(x, args_.axis, context.behavior_version);
    order_ = order_with_first(x.rank(), {x.batch_axis(), axis});
    place_ = x.has_batch() ? 1 : 0;
    Data out = x.permuted(order_);
    Dim& dim = out.dims[static_cast<size_t>(place_)];
    const std::string name = context.absolute_name + ":repeat";
    if (by_layer()) {
      check_counts(context, out);
      dim = Dim::dynamic(name, dim.kind());
    } else {
      dim = times(dim, args_.repetitions.as_int(), name);
    }
    name_axes(context, "out_dim", {dim});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput input = builder.input();
    const LayerOutput x = permuted(input, order_);
    return by_layer() ? repeated_by_layer(builder, x) : repeated(x.expr, builder.out_data().dims);
  }

 private:
  bool by_layer() const { return args_.repetitions.is_string(); }

  /// The axes of repetitions by frame, [B,T].
  static Data frames_of(const Data& x) {
    Data frames;
    frames.dims = {x.dims[0], x.dims[1]};
    frames.time_axis = 1;
    frames.dtype = DType::kInt32;
    return frames;
  }

  void check_counts(const LayerContext& context, const Data& x) const {
    const Data& counts = context.refs.at(args_.repetitions.as_string());
    if (counts.dtype != DType::kInt32 || counts.sparse()) {
      throw args_.repetitions.error("repetitions must be int32 numbers, got " + counts.str());
    }
    if (!x.has_batch() || context.loop_time.defined()) {
      throw args_.repetitions.error("repetitions by a layer need an input with a batch axis, outside of loops; got " +
                                    x.str());
    }
    const Dim& frames = x.dims[1];
    bool fits = counts.rank() <= 2;
    for (const Dim& dim : counts.dims) {
      fits = fits && (dim.is_batch() || dim.same_size(frames) || (dim.is_dynamic() && frames.is_dynamic()));
    }
    if (!fits) {
      throw args_.repetitions.error(fmt::format("repetitions {} have an axis beside those of {}: batch and {}",
                                                counts.str(), x.str(), frames.str()));
    }
  }

  Expr repeated(Expr x, const std::vector<Dim>& out) const {
    std::vector<Dim> dims = ops::expand_dims(x, place_ + 1).dims();
    dims[static_cast<size_t>(place_) + 1] = Dim::fixed(args_.repetitions.as_int(), Dim::Kind::kSpatial);
    return ops::reshape(ops::broadcast_to(ops::expand_dims(x, place_ + 1), dims), out);
  }

  /// Frame t of the output is the frame of the input up to which fewer than t + 1 frames have been made.
  Expr repeated_by_layer(LayerBuilder& builder, const LayerOutput& x) const {
    Graph& graph = builder.graph();
    const auto number = [&](int64_t value) { return ops::int_constant(graph, value); };
    const Data frames = frames_of(x.data);
    LayerOutput given = builder.ref(args_.repetitions.as_string());
    if (given.data.rank() == 2) {  // of other data perhaps, but as long
      given = {frames, ops::reshape(permute_if_needed(given.expr, order_with_batch_at(given.data, 0)), frames.dims)};
    }
    Expr counts = broadcast_to_layout(given, frames);
    if (const Expr mask = axis_mask(builder, frames, 1); mask.defined()) {
      counts = ops::where(mask, counts, number(0));
    }
    const Expr positive =
        ops::reduce(ops::Reduction::kAll, ops::binary(ops::Binary::kGreaterEqual, counts, number(0)), {0, 1});
    counts = ops::checked(counts, positive, "repeat: a number of repetitions is negative");
    const Dim& dim = builder.out_data().dims[1];
    const Expr lengths = ops::found_lengths(ops::reduce(ops::Reduction::kSum, counts, {1}), dim);
    const Expr time = ops::expand_dims(ops::range(graph, dim), 0);  // [1,T']
    const Expr ends = ops::expand_dims(ops::cumsum(counts, 1), 1);  // [B,1,T]
    const Expr before = ops::binary(ops::Binary::kLessEqual, ends, ops::expand_dims(time, 2));
    const Expr size = ops::dim_size(graph, frames.dims[1]);
    const Expr index =
        ops::binary(ops::Binary::kMinimum, ops::reduce(ops::Reduction::kSum, ops::cast(before, DType::kInt32), {2}),
                    ops::sub(size, number(1)));
    const Expr first = ops::expand_dims(ops::mul(ops::range(graph, frames.dims[0]), size), 1);
    std::vector<Dim> rows{Dim::derived(Dim::Op::kMul, frames.dims)};
    rows.insert(rows.end(), x.data.dims.begin() + 2, x.data.dims.end());
    const Expr y = ops::gather(ops::reshape(x.expr, rows), ops::add(first, index));
    Expr valid = ops::binary(ops::Binary::kLess, time, ops::expand_dims(lengths, 1));
    while (valid.rank() < y.rank()) {
      valid = ops::expand_dims(valid, valid.rank());
    }
    return ops::where(valid, y, ops::constant(graph, 0.0, y.dtype()));
  }

  RepeatArgs args_;
  std::vector<int> order_;
  int place_ = 0;
};

const RegisterLayer<RepeatLayer, RepeatArgs> kRegister{
    "repeat",
    {},
    "Each element of an axis several times.",
    {R"({"class": "repeat", "repetitions": 2, "axis": "T", "from": "data"})",
     R"({"class": "subnetwork", "from": "data", "subnetwork": {)"
     R"("abs": {"class": "activation", "activation": "abs", "from": "data"},)"
     R"("sum": {"class": "reduce", "mode": "sum", "axes": "F", "from": "abs"},)"
     R"("counts": {"class": "cast", "dtype": "int32", "from": "sum"},)"
     R"("output": {"class": "repeat", "repetitions": "counts", "axis": "T", "from": "data"}}})"}};

}  // namespace
}  // namespace wende
