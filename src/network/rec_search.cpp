#include <fmt/core.h>

#include <functional>

#include "layers/alignment.h"
#include "network/rec_subnet.h"
#include "ops/beam_search.h"
#include "ops/found_size.h"
#include "ops/gather.h"
#include "ops/pointwise.h"
#include "ops/reduce.h"
#include "ops/run_value.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The choice that a search goes by; nullptr: none.
const Value* searching_choice(const Value& unit, std::string& name, const std::function<bool(const Value&)>& searches) {
  const Value* found = nullptr;
  for (const std::string& key : sorted_names(unit)) {
    const Value& dict = *unit.find(key);
    const Value* klass = dict.is_dict() ? dict.find("class") : nullptr;
    if (!klass || !klass->is_string() || klass->as_string() != "choice" || !searches(dict)) continue;
    if (found) {
      throw dict.error("a search with several choices in one loop is not supported by Wende " WENDE_VERSION);
    }
    found = &dict;
    name = key;
  }
  return found;
}

}  // namespace

/// Whether a choice takes the best labels, or its target.
bool NetworkConstruction::searches(const Value& choice) const {
  const Value* option = given(choice, "search");
  return option && option->kind() == Value::Kind::kBool ? option->as_bool() : options_.search;
}

/// In a search, everything in the loop has rows for all hypotheses, [B*beam]: what comes from outside is repeated. A
/// layer's rows are the hypotheses before the choice of its step or, if it reads the choice, those after it.
void NetworkConstruction::prepare_search(RecSubnet& rec) {
  std::string name;
  const Value* choice = searching_choice(rec.dict, name, [this](const Value& dict) { return searches(dict); });
  if (!choice) {
    return;
  }
  const Value* size = choice->find("beam_size");
  if (!size || size->kind() != Value::Kind::kInt || size->as_int() < 1) {
    throw choice->error("choice needs a beam_size of at least 1 in search");
  }
  if (rec.around->loop) {
    throw choice->error("a search inside of another loop is not supported by Wende " WENDE_VERSION);
  }
  rec.search = std::make_shared<RecSubnet::Search>();
  rec.search->size = size->as_int();
  rec.search->batch = Dim::derived(Dim::Op::kMul, {batch_dim(*rec.around), Dim::fixed(size->as_int())},
                                   Dim::Kind::kBatch, "beam:" + rec.plan->context.absolute_name);
  rec.search->choice = rec.plan->context.absolute_name + "/" + name;
  const Value* normalize = given(*choice, "length_normalization");
  rec.search->length_normalization = !normalize || normalize->as_bool();
}

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

/// Hypotheses before this step's choice -> those after it.
LayerOutput RecSubnet::move(const LayerOutput& x) {
  if (!x.expr.defined() || !x.data.has_batch() || x.expr.graph != inside.graph ||
      inside.graph->captured(x.expr).defined()) {
    return x;
  }
  if (!search->rows.defined()) {
    throw internal_error("hypotheses of a search are moved before its choice");
  }
  std::vector<int> order{x.data.batch_axis()};
  for (int axis = 0; axis < x.data.rank(); ++axis) {
    if (axis != x.data.batch_axis()) order.push_back(axis);
  }
  return {x.data, ops::permute(ops::gather(ops::permute(x.expr, order), search->rows), inverse_order(order))};
}

const BuiltLayer& NetworkConstruction::moved_hypotheses(NetworkLevel& level, const BuiltLayer& layer) {
  auto& moved = level.moved[&layer];
  if (!moved) {
    moved = std::make_unique<BuiltLayer>(layer);
    moved->output = level.loop->move(layer.output);
    for (auto& [key, output] : moved->sub_outputs) {
      output = level.loop->move(output);
    }
    moved->chosen = true;
  }
  return *moved;
}

/// All that a layer reads must be of the same hypotheses: those after the choice, if one of them is.
void NetworkConstruction::align_hypotheses(LayerPlan& plan) {
  RecSubnet* rec = plan.level->loop;
  if (!rec || !rec->search) {
    return;
  }
  for (const BuiltLayer* source : plan.sources) {
    plan.chosen = plan.chosen || source->chosen;
  }
  for (const auto& [name, ref] : plan.refs) {
    plan.chosen = plan.chosen || ref->chosen;
  }
  if (!plan.chosen) {
    return;
  }
  for (const BuiltLayer*& source : plan.sources) {
    source = source->chosen ? source : &moved_hypotheses(*plan.level, *source);
  }
  for (auto& [name, ref] : plan.refs) {
    ref = ref->chosen ? ref : &moved_hypotheses(*plan.level, *ref);
  }
}

/// The layer's rows are those of its sources.
void NetworkConstruction::join_hypotheses(LayerPlan& plan, BuiltLayer& built) {
  align_hypotheses(plan);
  built.chosen = plan.chosen;
  for (const BuiltLayer* source : plan.sources) {
    built.beam = built.beam || plan.class_name == "decide" ? built.beam : source->beam;
  }
}

/// The final scores, and where the final hypotheses come from in each step.
void NetworkConstruction::finish_search(RecSubnet& rec) {
  RecSubnet::Search& search = *rec.search;
  const ops::BeamTrace trace = ops::trace_beams(rec.loop->stack(search.rows), rec.loop->steps_done());
  const bool same = rec.out_time == rec.time;
  search.chosen = same ? trace.chosen : ops::cut(trace.chosen, 0, rec.out_time);
  search.before = same ? trace.before : ops::cut(trace.before, 0, rec.out_time);
  Beam beam;
  beam.size = search.size;
  beam.scores = rec.loop->final_state(rec.states_by_name.at({search.choice, "scores"})->leaf);
  if (search.length_normalization) {
    Graph& graph = *rec.around->graph;
    const Expr length = ops::cast(ops::dim_size(graph, rec.out_time), DType::kFloat32);
    beam.scores = ops::div(beam.scores, rec.include_eos ? length : ops::add_scalar(length, 1.0));
  }
  search.beam = std::make_shared<const Beam>(beam);
}

}  // namespace wende
