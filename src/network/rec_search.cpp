#include <fmt/core.h>

#include <algorithm>

#include "layers/axis_order.h"
#include "network/rec_subnet.h"
#include "ops/beam_search.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {

/// x with the batch axis of the level.
LayerOutput NetworkConstruction::in_batch_of(const NetworkLevel& level, const LayerOutput& x) const {
  return level.batch.defined() ? in_batch(level.batch, x) : x;
}

/// x [B,...] repeated for each hypothesis, if `batch` is [B*beam].
LayerOutput NetworkConstruction::in_batch(const Dim& batch, const LayerOutput& x) {
  if (!x.expr.defined() || !x.data.has_batch()) {
    return x;
  }
  const auto axis = static_cast<size_t>(x.data.batch_axis());
  const Dim& own = x.data.dims[axis];
  if (own.same_size(batch) || batch.op() != Dim::Op::kMul || own.op() == batch.op()) {
    return x;  // the same, no beam, or rows of merged axes as well
  }
  LayerOutput result = x;
  result.data.dims[axis] = batch;
  std::vector<Dim> dims = x.expr.dims();
  dims.insert(dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1, batch.operands().at(1));
  const Expr repeated = ops::broadcast_to(ops::expand_dims(x.expr, static_cast<int>(axis) + 1), dims);
  result.expr = ops::reshape(repeated, result.data.dims);
  return result;
}

/// x for another number of hypotheses per sequence; those of one sequence are all alike.
static Expr repeated_for(const Expr& x, int axis, const Dim& batch) {
  const Dim& own = x.dim(axis);
  if (own.same_size(batch)) {
    return x;
  }
  const Dim& sequences = batch.operands().at(0);
  const Expr first =
      ops::mul(ops::range(*x.graph, sequences), ops::int_constant(*x.graph, own.operands().at(1).size()));
  const Expr rows =
      ops::reshape(ops::broadcast_to(ops::expand_dims(first, 1), {sequences, batch.operands().at(1)}), {batch});
  return gather_along(x, axis, rows);
}

std::string RecSubnet::local(const Choice& choice) const {
  return choice.layer.substr(plan->context.absolute_name.size() + 1);
}

Data RecSubnet::at_stage(Data data, int stage) const {
  if (search && data.has_batch()) {
    Dim& batch = data.dims[static_cast<size_t>(data.batch_axis())];
    const auto of_stage = [&batch](const Choice& choice) { return choice.batch.same_size(batch); };
    if (std::any_of(search->choices.begin(), search->choices.end(), of_stage)) batch = search->batch(stage);
  }
  return data;
}

LayerOutput RecSubnet::move(const LayerOutput& x, int from, int to) {
  if (from == to || draft || !x.expr.defined() || !x.data.has_batch()) {
    return x;
  }
  const int axis = x.data.batch_axis();
  if (!x.expr.dim(axis).same_size(search->batch(from))) {
    throw plan->options.error(fmt::format(
        "in a search, {} has its batch axis merged with others and is read together with the result of a choice: this "
        "is not supported by Wende " WENDE_VERSION,
        x.data.str()));
  }
  if (const Expr outer = inside.graph->captured(x.expr); outer.defined() || x.expr.graph != inside.graph) {
    const Expr moved = repeated_for(outer.defined() ? outer : x.expr, axis, search->batch(to));
    return {at_stage(x.data, to), inside.graph->capture(moved)};
  }
  const std::vector<int> order = order_with_first(x.data.rank(), {axis});
  Expr moved = ops::permute(x.expr, order);
  for (int stage = from; stage < to; ++stage) {
    const Expr& rows = search->choices[static_cast<size_t>(stage)].rows;
    if (!rows.defined()) {
      throw internal_error("hypotheses of a search are moved before the choice of their stage");
    }
    moved = ops::gather(moved, rows);
  }
  return {at_stage(x.data, to), ops::permute(moved, inverse_order(order))};
}

Dim NetworkConstruction::batch_dim(const LayerPlan& plan) const {
  const RecSubnet* rec = plan.level->loop;
  return rec && rec->search ? rec->search->batch(plan.stage) : batch_dim(*plan.level);
}

LayerOutput NetworkConstruction::target_of(const LayerPlan& plan, const TargetRef& target) {
  const LayerOutput output = target_output(*plan.level, target);
  RecSubnet* rec = plan.level->loop;
  const int stage = target.layer ? target.layer->stage : 0;
  return rec && rec->search && stage < plan.stage ? rec->move(output, stage, plan.stage) : output;
}

const BuiltLayer& NetworkConstruction::moved_hypotheses(NetworkLevel& level, const BuiltLayer& layer, int stage) {
  auto& moved = level.moved[{&layer, stage}];
  if (!moved) {
    moved = std::make_unique<BuiltLayer>(layer);
    moved->output = level.loop->move(layer.output, layer.stage, stage);
    for (auto& [key, output] : moved->sub_outputs) {
      output = level.loop->move(output, layer.stage, stage);
    }
    moved->stage = stage;
  }
  return *moved;
}

/// All that a layer reads must be of the same hypotheses: those of the latest stage among them; what a choice reads, of
/// the stage before its own.
void NetworkConstruction::align_hypotheses(LayerPlan& plan) {
  RecSubnet* rec = plan.level->loop;
  if (!rec || !rec->search) {
    return;
  }
  const int own = rec->search->stage_of(plan.context.absolute_name);
  if (own > 0) {
    plan.context.beam = rec->search->batch(own);
    if (own > 1 && !rec->draft) {
      plan.context.followed_choice = *rec->dict.find(rec->local(rec->search->choices[static_cast<size_t>(own) - 2]));
      plan.context.second_of_two_choices = own == 2 && rec->search->last_stage() == 2;
    }
  }
  if (rec->draft) {
    return;
  }
  for (const BuiltLayer* source : plan.sources) {
    plan.stage = std::max(plan.stage, source->stage);
  }
  for (const auto& [name, ref] : plan.refs) {
    plan.stage = std::max(plan.stage, ref->stage);
  }
  plan.stage = own > 0 ? own - 1 : plan.stage;
  plan.context.batch_dim = batch_dim(plan);
  const auto align = [&](const BuiltLayer*& layer) {
    layer = layer->stage == plan.stage ? layer : &moved_hypotheses(*plan.level, *layer, plan.stage);
  };
  for (size_t i = 0; i < plan.sources.size(); ++i) {
    align(plan.sources[i]);
    plan.context.sources[i] = rec->at_stage(plan.context.sources[i], plan.stage);
  }
  for (auto& [name, ref] : plan.refs) {
    align(ref);
    plan.context.refs[name] = rec->at_stage(plan.context.refs[name], plan.stage);
  }
}

/// The layer's rows are those of its sources.
void NetworkConstruction::join_hypotheses(LayerPlan& plan, BuiltLayer& built) {
  align_hypotheses(plan);
  built.stage = plan.stage;
  for (const BuiltLayer* source : plan.sources) {
    built.beam = built.beam || plan.class_name == "decide" ? built.beam : source->beam;
  }
}

Hypotheses NetworkConstruction::hypotheses(const LayerPlan& plan) {
  RecSubnet* rec = plan.level->loop;
  if (!rec || !rec->search) {
    return {};
  }
  const RecSubnet::Search& search = *rec->search;
  if (plan.stage > 0) {
    const RecSubnet::Choice& choice = search.choices[static_cast<size_t>(plan.stage) - 1];
    const int64_t from = search.batch(plan.stage - 1).operands().at(1).size();
    return {rec->built.at(choice.layer)->sub_outputs.at("scores").expr, choice.rows, from};
  }
  const std::string& last = search.choices.back().layer;
  Data data;
  data.dims = {search.batch(0)};
  rec->initials[{last, "scores"}] = {};
  const Expr scores = state_output(*rec, last, "scores", data).expr;
  return {scores, rec->draft ? ops::range(*plan.level->graph, data.dims[0]) : Expr(), 1};
}

/// Before the loop is finished: the rows of each stage that the hypotheses after the step's last choice go on from.
void RecSubnet::keep_origins() {
  std::vector<Expr>& origins = search->origins;
  origins.resize(search->choices.size());
  for (size_t stage = origins.size(); stage-- > 0;) {
    const Expr& rows = search->choices[stage].rows;
    origins[stage] = stage + 1 < origins.size() ? ops::gather(rows, origins[stage + 1]) : rows;
    loop->keep(origins[stage]);
  }
}

/// By stage, the rows of stacked values [T*B*beam,...] that lead to the final hypotheses.
static std::vector<Expr> traced_rows(RecSubnet& rec) {
  const RecSubnet::Search& search = *rec.search;
  const size_t last = search.choices.size();
  const auto of_frames = [&rec](Expr x) { return rec.out_time == rec.time ? x : ops::cut(x, 0, rec.out_time); };
  const ops::BeamTrace trace = ops::trace_beams(rec.loop->stack(search.origins[0]), rec.loop->steps_done());
  std::vector<Expr> traced(last + 1);
  traced[0] = of_frames(trace.before);
  traced[last] = of_frames(trace.chosen);
  for (size_t stage = 1; stage < last; ++stage) {
    const Dim& batch = search.batch(static_cast<int>(stage));
    Graph& graph = *rec.around->graph;
    const Expr frames = rec.loop->stack(search.origins[stage]);
    const Dim all = Dim::derived(Dim::Op::kMul, {rec.time, frames.dim(1)}, Dim::Kind::kSpatial, "hypotheses");
    const Expr rows = ops::gather(ops::reshape(frames, {all}), traced[last]);
    const Expr first = ops::mul(ops::range(graph, rec.out_time), ops::dim_size(graph, batch));
    traced[stage] = ops::add(rows, ops::expand_dims(first, 1));
  }
  return traced;
}

/// The final scores, and where the final hypotheses come from in each step.
void NetworkConstruction::finish_search(RecSubnet& rec) {
  RecSubnet::Search& search = *rec.search;
  search.traced = traced_rows(rec);
  const RecSubnet::Choice& last = search.choices.back();
  const Value& choice = *rec.dict.find(rec.local(last));
  const Value* normalize = given(choice, "length_normalization");
  Beam beam;
  beam.size = last.size;
  beam.scores = rec.loop->final_state(rec.states_by_name.at({last.layer, "scores"})->leaf);
  if (!normalize || normalize->as_bool()) {
    Graph& graph = *rec.around->graph;
    const Expr length = ops::cast(ops::dim_size(graph, rec.out_time), DType::kFloat32);
    beam.scores = ops::div(beam.scores, rec.include_eos ? length : ops::add_scalar(length, 1.0));
  }
  search.beam = std::make_shared<const Beam>(beam);
}

}  // namespace wende
