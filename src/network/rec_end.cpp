#include <fmt/core.h>

#include "layers/alignment.h"
#include "layers/eval_trace.h"
#include "network/rec_subnet.h"
#include "ops/found_size.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/run_value.h"

namespace wende {

/// A loop that runs until its layer "end" was true in all sequences, or max_seq_len is reached. Its body runs over an
/// axis of max_seq_len steps, of which only those needed run; behind it the axis has the lengths that it found.
void NetworkConstruction::prepare_end(RecSubnet& rec) {
  const LayerPlan& plan = *rec.plan;
  if (rec.has_input) {
    throw plan.options.error(
        "a rec layer with an input and an 'end' layer, but without target, is not supported by Wende " WENDE_VERSION);
  }
  if (rec.around->loop) {
    throw plan.options.error("a loop inside of a loop must know its length before it starts");
  }
  rec.open_ended = true;
  rec.time = Dim::dynamic("longest:" + plan.context.absolute_name);
  rec.out_time = Dim::dynamic("loop:" + plan.context.absolute_name);
  rec.around_time = rec.out_time;
  ops::found_size(max_seq_len(rec), rec.time);
}

/// int32 scalar, of a number or of an expression of max_len_from(layer) and tf.
Expr NetworkConstruction::max_seq_len(RecSubnet& rec) {
  Graph& graph = *rec.around->graph;
  const Value* option = rec.plan->options.find("max_seq_len");
  if (!option || option->is_none()) {
    throw rec.plan->options.error(
        "the length of this loop is known to its 'end' layer only: give the largest length, max_seq_len");
  }
  if (!option->is_string()) {
    return ops::int_constant(graph, option->as_int());
  }
  const Value max_len_from = native_function("max_len_from", [&](const std::vector<Value>& args, const KeywordArgs&) {
    if (args.size() != 1 || !args[0].is_string()) {
      throw option->error("max_len_from takes the name of a layer");
    }
    const std::string& name = args[0].as_string();
    const LayerOutput source = resolve(*rec.around, name.starts_with("base:") ? name.substr(5) : name, *option).output;
    if (!source.data.has_time()) {
      throw option->error("max_len_from: layer '" + name + "' has no time axis: " + source.data.str());
    }
    return traced(ops::dim_size(graph, source.data.time_dim()));
  });
  const GraphTrace trace(graph);
  const Value value = evaluate_expression(option->as_string(), option->span(), {{"max_len_from", max_len_from}});
  const Expr size = traced_expr(graph, value, ops::int_constant(graph, 0));
  if (size.rank() != 0 || size.dtype() != DType::kInt32) {
    throw option->error("max_seq_len must be a whole number, got " + size.type().str());
  }
  return size;
}

Expr NetworkConstruction::ended_before(RecSubnet& rec) {
  Data data;
  data.dims = {batch_dim(rec.inside)};
  data.dtype = DType::kBool;
  const std::string end = rec.inside.absolute("end");
  const LayerOutput state = state_output(rec, end, "", data);
  RecSubnet::State& entry = *rec.states_by_name.at({end, ""});
  entry.level = &rec.inside;
  entry.local = "end";
  return state.expr;
}

/// A sequence that has ended stays so: the layer "end" itself says it.
void NetworkConstruction::join_end(RecSubnet& rec, BuiltLayer& end) {
  if (end.output.data.dtype != DType::kBool || end.output.data.rank() > 1) {
    throw end.options.error("the layer 'end' must be bool [B] in each step, got " + end.output.data.str());
  }
  LayerOutput before;
  before.data.dims = {batch_dim(rec.inside)};
  before.data.dtype = DType::kBool;
  before.expr = ended_before(rec);
  before = rec.move(before, 0, end.stage);
  const Expr now = broadcast_to_layout(end.output, before.data);
  end.output = {before.data, ops::binary(ops::Binary::kLogicalOr, now, before.expr)};
}

void NetworkConstruction::count_lengths(RecSubnet& rec) {
  const BuiltLayer& end = unit_layer(rec.inside, "end", rec.dict);
  LayerOutput now = end.output;
  LayerOutput before{rec.at_stage(now.data, 0), ended_before(rec)};
  LayerOutput length = before;
  length.data.dtype = DType::kInt32;
  rec.sequence_lengths = rec.loop->state({DType::kInt32, length.data.dims});
  length.expr = rec.sequence_lengths;
  Expr all_ended = now.expr;
  if (rec.search) {
    const int last = rec.search->last_stage();
    now = rec.move(now, end.stage, last);
    before = rec.move(before, 0, last);
    length = rec.move(length, 0, last);
    // Where "end" reads a choice, the hypotheses after that choice decide, even if later ones drop some of them.
    all_ended = end.stage > 0 ? all_ended : now.expr;
  }
  const Expr out = rec.include_eos ? before.expr : now.expr;
  const Expr counts = ops::cast(ops::unary(ops::Unary::kLogicalNot, out), DType::kInt32);
  rec.loop->set_state(rec.sequence_lengths, ops::add(length.expr, counts), {});
  rec.loop->stop_after(ops::reduce(ops::Reduction::kAll, all_ended, {0}));
}

void NetworkConstruction::find_lengths(RecSubnet& rec) {
  if (rec.search) {
    sequence_lengths_.set_rows(rec.out_time, rec.search->batch(0));
  }
  rec.sequence_lengths = ops::found_lengths(rec.loop->final_state(rec.sequence_lengths), rec.out_time);
}

/// What `prev:end` says in a loop of unknown length; in others of a search, what the lengths say.
Expr NetworkConstruction::ended(const LayerPlan& plan) {
  RecSubnet& rec = *plan.level->loop;
  if (rec.open_ended) {
    LayerOutput before;
    before.data.dims = {batch_dim(rec.inside)};
    before.data.dtype = DType::kBool;
    before.expr = ended_before(rec);
    return rec.move(before, 0, plan.stage).expr;
  }
  const Expr lengths = this->lengths(*plan.level, rec.around_time, batch_dim(plan));
  const Expr step = plan.level->graph->capture(rec.loop->step());
  const Expr last = rec.include_eos ? lengths : ops::add(lengths, ops::int_constant(*plan.level->graph, 1));
  return ops::binary(ops::Binary::kGreaterEqual, step, last);
}

}  // namespace wende
