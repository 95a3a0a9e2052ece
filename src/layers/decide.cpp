#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/shape.h"

namespace wende {
namespace {

struct DecideArgs {
  Value length_normalization;

  template <class V>
  void fields(V& v) {
    v.field("length_normalization", length_normalization, "search: scores by length");
  }
};

/// The best hypothesis of each sequence, cut to the longest of these. Without a search: the source, batch-major.
class DecideLayer : public Layer {
 public:
  explicit DecideLayer(DecideArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    if (context.sources.size() != 1) {
      throw context.options.error(fmt::format("decide takes one input, got {}", context.sources.size()));
    }
    const Data& x = context.sources[0];
    if (!x.has_batch()) {
      return x.with_name(context.name);
    }
    Data out = x.permuted(order_with_first(x.rank(), {x.batch_axis()})).with_name(context.name);
    if (!out.dims[0].same_size(context.batch_dim)) {
      out.dims[0] = context.batch_dim;
      for (size_t axis = 1; axis < out.dims.size(); ++axis) {
        if (out.dims[axis].is_dynamic()) out.dims[axis] = Dim::dynamic("decided:" + context.absolute_name);
      }
    }
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.source(0);
    if (!x.data.has_batch()) {
      return x.expr;
    }
    const Expr all = with_axis_first(x, x.data.batch_axis()).expr;
    const Data& out = builder.out_data();
    return out.dims[0].same_size(all.dim(0)) ? all : best(builder, all, x);
  }

 private:
  Expr best(LayerBuilder& builder, Expr all, const LayerOutput& x) const {
    const Beam* beam = builder.source_beam(0);
    if (!beam) {
      throw builder.context().options.error("decide: the input has hypotheses, but not the scores of a search: " +
                                            x.data.str());
    }
    const Data& out = builder.out_data();
    Expr scores = beam->scores;
    if (!args_.length_normalization.is_none() && args_.length_normalization.as_bool()) {
      scores = ops::div(scores, ops::cast(builder.lengths(x.data.time_dim()), DType::kFloat32));
    }
    const Dim size = Dim::fixed(beam->size);
    const Expr index = ops::argmax(ops::reshape(scores, {out.dims[0], size}), 1);
    const Expr first =
        ops::mul(ops::range(builder.graph(), out.dims[0]), ops::int_constant(builder.graph(), beam->size));
    const Expr rows = ops::add(first, index);
    Expr result = ops::gather(all, rows);
    for (int axis = 1; axis < result.rank(); ++axis) {
      if (result.dim(axis).is_static()) continue;
      const Expr lengths = builder.lengths(result.dim(axis));
      const bool of_hypotheses = !lengths.dim(0).same_size(out.dims[0]);
      ops::found_lengths(of_hypotheses ? ops::gather(lengths, rows) : lengths, out.dims[static_cast<size_t>(axis)]);
      result = ops::cut(result, axis, out.dims[static_cast<size_t>(axis)]);
    }
    return result;
  }

  DecideArgs args_;
};

struct NoArgs {
  template <class V>
  void fields(V&) {}
};

void check_hypotheses(const LayerContext& context) {
  if (context.sources.size() != 1 || !context.sources[0].has_batch()) {
    throw context.options.error(
        fmt::format("{} takes one input with a batch axis", context.options.find("class")->as_string()));
  }
}

/// A number of each hypothesis.
Data one_per_hypothesis(const LayerContext& context, DType dtype) {
  check_hypotheses(context);
  Data out;
  out.name = context.name;
  out.dtype = dtype;
  out.dims = {context.sources[0].dims[static_cast<size_t>(context.sources[0].batch_axis())]};
  return out;
}

class BeamScoresLayer : public Layer {
 public:
  explicit BeamScoresLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override { return one_per_hypothesis(context, DType::kFloat32); }
  Expr build(LayerBuilder& builder) override {
    const Beam* beam = builder.source_beam(0);
    const Expr scores = beam ? beam->scores : builder.hypotheses().scores;
    if (!scores.defined()) {
      throw builder.context().options.error("choice_get_beam_scores needs the result of a search");
    }
    return scores;
  }
};

class SourceBeamsLayer : public Layer {
 public:
  explicit SourceBeamsLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override { return one_per_hypothesis(context, DType::kInt32); }
  Expr build(LayerBuilder& builder) override {
    const Hypotheses chosen = builder.hypotheses();
    if (!chosen.rows.defined()) {
      throw builder.context().options.error(
          "choice_get_src_beams needs what a choice of the same step has chosen, in the loop of a search");
    }
    return ops::binary(ops::Binary::kMod, chosen.rows, ops::int_constant(builder.graph(), chosen.from));
  }
};

/// The input itself; the network leaves its rows as they are where it traces hypotheses back.
class KeepBeamLayer : public Layer {
 public:
  explicit KeepBeamLayer(const NoArgs&) {}
  Data out_data(const LayerContext& context) override {
    check_hypotheses(context);
    return context.sources[0].with_name(context.name);
  }
  Expr build(LayerBuilder& builder) override { return builder.source(0).expr; }
};

struct SplitBeamArgs {
  Value beam_dim;

  template <class V>
  void fields(V& v) {
    v.field("beam_dim", beam_dim, "dim tag of the axis of hypotheses");
  }
};

class SplitBeamLayer : public Layer {
 public:
  explicit SplitBeamLayer(SplitBeamArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    check_hypotheses(context);
    const Data& x = context.sources[0];
    const Dim& rows = x.dims[static_cast<size_t>(x.batch_axis())];
    if (rows.op() != Dim::Op::kMul || !rows.operands().at(1).is_static()) {
      throw context.options.error("split_batch_beam needs the hypotheses of a search, got " + x.str());
    }
    const Dim beam = Dim::fixed(rows.operands().at(1).size(), Dim::Kind::kSpatial, "beam:" + context.absolute_name);
    Data out = x.permuted(order_with_first(x.rank(), {x.batch_axis()})).with_name(context.name);
    out.dims[0] = rows.operands().at(0);
    out = out.with_axis(1, beam);
    name_axes(context, "beam_dim", {beam});
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const LayerOutput x = builder.source(0);
    return ops::reshape(with_axis_first(x, x.data.batch_axis()).expr, builder.out_data().dims);
  }

 private:
  SplitBeamArgs args_;
};

const RegisterLayer<DecideLayer, DecideArgs> kRegisterDecide{
    "decide",
    {},
    "The best hypothesis of a search; without search its input, batch-major.",
    {R"({"class": "decide", "from": "data"})"}};

const RegisterLayer<BeamScoresLayer, NoArgs> kRegisterScores{
    "choice_get_beam_scores", {}, "Of the result of a search: the scores of all hypotheses, [B*beam].", {}};

const RegisterLayer<SourceBeamsLayer, NoArgs> kRegisterSources{
    "choice_get_src_beams",
    {},
    "In the loop of a search: which hypothesis of before the choice each one goes on from, counted in its beam.",
    {}};

const RegisterLayer<KeepBeamLayer, NoArgs> kRegisterKeepBeam{
    "decide_keep_beam",
    {},
    "In the loop of a search: the input, which stays behind the loop as it was in each step.",
    {R"({"class": "decide_keep_beam", "from": "data"})"}};

const RegisterLayer<SplitBeamLayer, SplitBeamArgs> kRegisterSplitBeam{
    "split_batch_beam", {}, "Of the result of a search: [B*beam,...] as [B,beam,...].", {}};

}  // namespace
}  // namespace wende
