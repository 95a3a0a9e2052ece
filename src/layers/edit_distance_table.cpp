#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_order.h"
#include "layers/layer_builder.h"
#include "ops/edit_distance_row.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The target of a layer in a loop: whole label sequences.
const Data& sequences_of_target(const LayerContext& context, const char* layer_class) {
  if (context.targets.empty()) {
    throw context.options.error(fmt::format("{} needs 'target': label sequences", layer_class));
  }
  const Data& target = context.targets[0];
  if (!target.sparse() || target.rank() != 2 || !target.has_batch() || !target.has_time() ||
      target.time_dim().is_static()) {
    throw context.options
        .error(fmt::format("{} needs whole label sequences as target, got {}", layer_class, target.str()))
        .hint("inside of a loop: \"target\": \"layer:base:data:classes\"");
  }
  return target;
}

/// What a row says of the sequences so far; `count` is how many labels there were before.
ops::EditDistanceRow row_of(LayerBuilder& builder, Expr last, Expr count) {
  const LayerOutput target = builder.target(0);
  ops::EditDistanceRow row;
  row.last = last;
  row.count = count;
  row.ended = builder.ended();
  row.b = permute_if_needed(ops::cast(target.expr, DType::kInt32), {target.data.batch_axis(), target.data.time_axis});
  row.lengths = builder.lengths(target.data.time_dim());
  return row;
}

/// The step's index for each sequence.
Expr steps(LayerBuilder& builder, const Dim& batch) {
  return ops::add(builder.loop_step(), ops::constant(builder.graph(), 0.0, DType::kInt32, {batch}));
}

struct EditDistanceTableArgs {
  Value axis, blank_idx;
  bool debug = false;

  template <class V>
  void fields(V& v) {
    v.field("axis", axis, "accepted; it is the loop's");
    v.field("debug", debug, "accepted; has no effect");
    v.field("blank_idx", blank_idx, "this label leaves the row as it is");
  }
};

/// In a loop over labels: the row of their edit distances to all beginnings of the target, int32 [B,U+1].
class EditDistanceTableLayer : public Layer {
 public:
  explicit EditDistanceTableLayer(EditDistanceTableArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data& target = sequences_of_target(context, "edit_distance_table");
    if (!context.loop_time.defined()) {
      throw context.options.error("edit_distance_table works inside of a loop only, label by label (as in RETURNN)");
    }
    if (context.sources.size() != 1 || !context.sources[0].sparse() || context.sources[0].rank() != 1 ||
        !context.sources[0].has_batch()) {
      throw context.options.error("edit_distance_table needs one label [B] in each step as input");
    }
    const int64_t classes =
        std::max(target.sparse_dim.size(), args_.blank_idx.is_none() ? 0 : args_.blank_idx.as_int() + 1);
    if (context.sources[0].sparse_dim.size() != classes) {
      throw context.options.error(
          fmt::format("edit_distance_table: labels {} and target {}", context.sources[0].str(), target.str()));
    }
    Data out;
    out.name = context.name;
    out.dtype = DType::kInt32;
    out.dims = {context.sources[0].dims[0], target.time_dim() + 1};
    out.time_axis = 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    const LayerOutput label = builder.source(0);
    Graph& graph = builder.graph();
    const Expr zeros = ops::constant(graph, 0.0, DType::kInt32, {out.dims[0], Dim::fixed(1)});
    builder.set_initial("", ops::add(ops::expand_dims(ops::range(graph, out.dims[1]), 0), zeros));
    const Expr last = builder.previous("", out).expr;
    const Expr a = ops::cast(label.expr, DType::kInt32);
    if (args_.blank_idx.is_none()) {
      return ops::next_edit_distance_row(row_of(builder, last, steps(builder, out.dims[0])), a);
    }
    Data count;
    count.dtype = DType::kInt32;
    count.dims = {out.dims[0]};
    builder.set_initial("source_len", {});
    const Expr before = builder.previous("source_len", count).expr;
    ops::EditDistanceRow row = row_of(builder, last, before);
    const Expr blank = ops::int_constant(graph, args_.blank_idx.as_int());
    row.ended = ops::binary(ops::Binary::kLogicalOr, row.ended, ops::binary(ops::Binary::kEqual, a, blank));
    const Expr counts = ops::cast(ops::unary(ops::Unary::kLogicalNot, row.ended), DType::kInt32);
    builder.add_sub_output("source_len", {count, ops::add(before, counts)});
    return ops::next_edit_distance_row(row, a);
  }

 private:
  EditDistanceTableArgs args_;
};

struct OptimalCompletionsArgs {
  Value blank_idx;
  bool debug = false;

  template <class V>
  void fields(V& v) {
    v.field("debug", debug, "accepted; has no effect");
    v.field("blank_idx", blank_idx, "this label leaves the row as it is");
  }
};

/// What the best completion costs after each label: int32 [B,labels].
class OptimalCompletionsLayer : public Layer {
 public:
  explicit OptimalCompletionsLayer(OptimalCompletionsArgs args) : args_(std::move(args)) {}

  Data out_data(const LayerContext& context) override {
    const Data& target = sequences_of_target(context, "optimal_completions");
    const bool fits = context.sources.size() == 1 && context.sources[0].dtype == DType::kInt32 &&
                      context.sources[0].rank() == 2 && context.sources[0].batch_axis() == 0;
    if (!fits || !context.loop_time.defined()) {
      throw context.options.error("optimal_completions needs a row of an edit_distance_table in its loop as input")
          .hint("\"from\": \"prev:edit_dist_table\"");
    }
    const int64_t classes =
        std::max(target.sparse_dim.size(), args_.blank_idx.is_none() ? 0 : args_.blank_idx.as_int() + 1);
    Data out;
    out.name = context.name;
    out.dtype = DType::kInt32;
    out.dims = {context.sources[0].dims[0],
                Dim::fixed(classes, Dim::Kind::kFeature, context.absolute_name + ":labels")};
    out.feature_axis = 1;
    return out;
  }

  Expr build(LayerBuilder& builder) override {
    const Data& out = builder.out_data();
    Expr count = steps(builder, out.dims[0]);
    if (!args_.blank_idx.is_none()) {
      count = builder.source_sub_output(0, "source_len").expr;
      if (!count.defined()) {
        throw args_.blank_idx.error("blank_idx needs an input of an edit_distance_table with the same blank_idx");
      }
    }
    const ops::EditDistanceRow row = row_of(builder, builder.source(0).expr, count);
    return ops::optimal_completions(row, out.dims[1], args_.blank_idx.is_none() ? -1 : args_.blank_idx.as_int());
  }

 private:
  OptimalCompletionsArgs args_;
};

constexpr const char* kExample =
    R"({"class": "rec", "from": [], "target": "classes", "optimize_move_layers_out": False, "unit": {)"
    R"("label": {"class": "copy", "from": "data:classes", "initial_output": 0}, )"
    R"("table": {"class": "edit_distance_table", "from": "label", "target": "layer:base:data:classes"}, )"
    R"("costs": {"class": "optimal_completions", "from": "prev:table", "target": "layer:base:data:classes"}, )"
    R"("output": {"class": "cast", "dtype": "float32", "from": "costs"}}})";

const RegisterLayer<EditDistanceTableLayer, EditDistanceTableArgs> kRegister{
    "edit_distance_table",
    {},
    "In a loop over labels: their edit distances to all beginnings of the target.",
    {kExample}};
const RegisterLayer<OptimalCompletionsLayer, OptimalCompletionsArgs> kRegisterCompletions{
    "optimal_completions",
    {},
    "In a loop over labels: what the best completion costs after each label that might come next.",
    {kExample}};

}  // namespace
}  // namespace wende
