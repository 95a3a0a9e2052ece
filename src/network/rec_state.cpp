#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "config/args.h"
#include "layers/alignment.h"
#include "network/layer_scope.h"
#include "network/rec_subnet.h"
#include "ops/leaf.h"
#include "ops/pointwise.h"
#include "ops/shape.h"

namespace wende {
namespace {

bool all_sizes(const Value& shape) {
  return shape.is_sequence() && std::all_of(shape.items().begin(), shape.items().end(),
                                            [](const Value& size) { return size.kind() == Value::Kind::kInt; });
}

/// What an out_type says by itself: a shape without unknown sizes, or the number of features or labels.
std::optional<Data> guess_by_type(const Value& type, const Dim& batch) {
  const Value* shape = given(type, "shape");
  const Value* size = given(type, "dim");
  const bool sized = size && size->kind() == Value::Kind::kInt;
  const bool sparse = truthy(type.find("sparse"));
  if (shape ? !all_sizes(*shape) : !sized) {
    return std::nullopt;
  }
  Data data;
  data.dims = {batch};
  const std::vector<Value> sizes = shape ? shape->items() : sparse ? std::vector<Value>{} : std::vector<Value>{*size};
  for (const Value& each : sizes) {
    data.dims.push_back(Dim::fixed(each.as_int()));
  }
  if (sparse && sized) {
    data.sparse_dim = Dim::fixed(size->as_int(), Dim::Kind::kFeature);
    data.dtype = DType::kInt32;
  } else {
    data.feature_axis = data.rank() > 1 ? data.rank() - 1 : -1;
  }
  if (const Value* dtype = given(type, "dtype")) {
    data.dtype = dtype_from_name(dtype->as_string());
  }
  return data;
}

/// What a layer's dict says of its output, when nothing else is known yet: n_out, or a whole out_type.
std::optional<Data> guess(const Value& dict, const Dim& batch) {
  if (!dict.is_dict()) {
    return std::nullopt;
  }
  if (const Value* type = dict.find("out_type"); type && type->is_dict()) {
    return guess_by_type(*type, batch);
  }
  const Value* size = dict.find("n_out");
  if (!size || size->kind() != Value::Kind::kInt) {
    return std::nullopt;
  }
  Data data;
  data.dims = {batch, Dim::fixed(size->as_int())};
  data.feature_axis = 1;
  return data;
}

/// A layer with no input but its own step before, whose dict says how many features it has but not its axes: RETURNN
/// knows of no batch there, either.
bool is_without_batch(const Value& dict, const std::string& name) {
  const Value* klass = dict.find("class");
  const Value* from = dict.find("from");
  const Value* type = given(dict, "out_type");
  if (!klass || !from || (klass->as_string() != "activation" && klass->as_string() != "eval") ||
      (type && (!type->is_dict() || type->find("shape") || type->find("batch_dim_axis")))) {
    return false;
  }
  const std::vector<Value> sources = items_of(*from);
  return !sources.empty() && std::all_of(sources.begin(), sources.end(), [&](const Value& source) {
    return source.is_string() && source.as_string() == "prev:" + name;
  });
}

bool is_keyword(const std::string& word) {
  return word == "zeros" || word == "ones" || word == "var" || word == "apply(0)" ||
         word.starts_with("keep_over_epoch");
}

}  // namespace

/// "prev:x" in the body: a state of the loop.
const BuiltLayer& NetworkConstruction::previous_layer(NetworkLevel& level, const std::string& name,
                                                      const Value& asker) {
  RecSubnet& rec = *level.loop;
  auto& previous = level.sub_outputs["prev:" + name];
  if (previous) {
    return *previous;
  }
  const std::string absolute = level.absolute(name);
  const std::string head = name.substr(0, name.find('/'));
  if (!level.dict.find(name) && !level.dict.find(head)) {
    throw layer_not_found(level, head, asker);
  }
  if (!level.unit && !rec.open.empty()) {
    rec.add_dependency(rec.open.back(), true);  // a subnetwork that reads its own last step is recurrent
  }
  const auto place = rec.places.find(head);
  auto layer = std::make_unique<BuiltLayer>();
  layer->name = "prev:" + absolute;
  if (level.unit && place != rec.places.end() && place->second == RecPlace::kBefore) {
    const LayerOutput full = rec.full(unit_layer(rec.before, name, asker).output);
    const Data data = in_batch_of(level, full).data.without_axis(0);
    const Expr initial = initial_value(rec, absolute, name, "", data);
    layer->output = {data, rec.loop->sequence(ops::shift_steps(in_batch_of(level, full).expr, initial, -1))};
    return *(previous = std::move(layer));
  }
  if (rec.draft) {
    rec.previous_layers.emplace_back(&level, name);
    rec.used_templates.insert(absolute);
  }
  auto known = rec.templates.find(absolute);
  if (known == rec.templates.end()) {
    const Value* dict = level.dict.find(name);
    std::optional<Data> data =
        dict ? guess(is_masked_computation(dict) ? unit_of_masked(*dict) : *dict, batch_dim(level)) : std::nullopt;
    if (data && is_without_batch(*dict, name)) {
      data = data->without_axis(data->batch_axis());
    }
    if (!data && rec.search && rec.search->stage_of(absolute) > 0) {
      data = labels_of_choice(level, *dict);
    }
    if (!rec.draft || !data) {
      throw Error(ExitStatus::kConfig, absolute).code(kUnknownYet);
    }
    layer->output = {*data, rec.loop->state({data->dtype, data->dims})};
    return *(previous = std::move(layer));
  }
  const auto state = [&](const std::string& key, const Data& data) {
    LayerOutput output = state_output(rec, absolute, key, data);
    RecSubnet::State& entry = *rec.states_by_name.at({absolute, key});
    entry.level = &level;
    entry.local = name;
    return output;
  };
  layer->output = state("", known->second.data);
  layer->output.data.name = layer->name;
  for (const auto& [key, data] : known->second.states) {
    layer->sub_outputs[key] = state(key, data);
  }
  return *(previous = std::move(layer));
}

/// What a choice gives in a search: labels of its target.
std::optional<Data> NetworkConstruction::labels_of_choice(NetworkLevel& level, const Value& dict) {
  const Value* target = given(dict, "target");
  if (!target) {
    return std::nullopt;
  }
  const Value first = items_of(*target).at(0);
  if (const Value* type = given(dict, "input_type"); type && type->is_string() && type->as_string() == "regression") {
    return one_frame(level, target_ref(level, first.as_string(), first, "").data);
  }
  Data data;
  data.dims = {batch_dim(level)};
  data.dtype = DType::kInt32;
  data.sparse_dim = target_ref(level, first.as_string(), first, "").data.sparse_dim;
  return data;
}

LayerOutput NetworkConstruction::state_output(RecSubnet& rec, const std::string& layer, const std::string& key,
                                              const Data& data) {
  RecSubnet::State*& state = rec.states_by_name[{layer, key}];
  if (!state) {
    rec.states.push_back(std::make_unique<RecSubnet::State>());
    state = rec.states.back().get();
    state->layer = layer;
    state->key = key;
    state->data = data;
    state->leaf = rec.loop->state({data.dtype, data.dims});
  }
  return {state->data, state->leaf};
}

LayerOutput NetworkConstruction::previous(const LayerPlan& plan, const std::string& key, const Data& data) {
  RecSubnet& rec = *plan.level->loop;
  return rec.move(state_output(rec, plan.context.absolute_name, key, rec.at_stage(data, 0)), 0, plan.stage);
}

void NetworkConstruction::set_initial(const LayerPlan& plan, const std::string& key, Expr value) {
  plan.level->loop->initials[{plan.context.absolute_name, key}] = value;
}

/// The value of a layer's output (or a sub-output) before the first step, in the graph around the loop.
Expr NetworkConstruction::initial_value(RecSubnet& rec, const std::string& absolute, const std::string& name,
                                        const std::string& key, const Data& data) {
  const auto set = rec.initials.find({absolute, key});
  if (set != rec.initials.end() && set->second.defined()) {
    const Expr outside = rec.inside.graph->captured(set->second);
    if (!outside.defined() && set->second.graph == rec.inside.graph) {
      throw Error(ExitStatus::kConfig, "the initial state of layer '" + absolute + "' depends on the loop itself");
    }
    return outside.defined() ? outside : set->second;
  }
  if (!key.empty() || set != rec.initials.end()) {
    return ops::constant(*rec.around->graph, 0.0, data.dtype, data.dims);
  }
  return initial_output(rec, name, data);
}

Expr NetworkConstruction::initial_output(RecSubnet& rec, const std::string& name, const Data& data) {
  Graph& graph = *rec.around->graph;
  const Value* dict = rec.dict.find(name);
  const Value* of = is_masked_computation(dict) ? dict->find("unit") : dict;
  const Value* given = of && of->is_dict() ? of->find("initial_output") : nullptr;
  const auto constant = [&](double value) { return ops::constant(graph, value, data.dtype, data.dims); };
  if (!given || given->is_none()) {
    if (data.sparse() && name != "end") {
      throw(dict ? *dict : rec.dict)
          .error(fmt::format("layer '{}' is read with prev: and sparse: it needs an explicit initial_output", name))
          .hint("add \"initial_output\": 0");
    }
    return constant(0.0);
  }
  if (given->is_number() || given->kind() == Value::Kind::kBool) {
    return constant(given->is_number() ? given->as_float() : (given->as_bool() ? 1.0 : 0.0));
  }
  const std::string& word = given->as_string();
  if (word == "zeros" || word == "ones") {
    return constant(word == "ones" ? 1.0 : 0.0);
  }
  if (word == "apply(0)") {
    return applied_to_zeros(rec, name, data);
  }
  if (word == "var") {
    return initial_variable(rec, name, data);
  }
  if (is_keyword(word)) {
    throw given->error("initial_output '" + word + "' is for states, not for outputs");
  }
  if (!rec.dict.find(word)) {
    if (const std::string hint = did_you_mean(word, {"zeros", "ones", "var", "apply(0)"}); !hint.empty()) {
      throw given->error(fmt::format("unknown initial_output '{}'", word)).hint(hint);
    }
  }
  const BuiltLayer& source = resolve_in_unit(rec.before, word, *given);
  return broadcast_to_layout(in_batch_of(rec.inside, source.output), data);
}

/// A trainable vector, the same for all sequences.
Expr NetworkConstruction::initial_variable(RecSubnet& rec, const std::string& name, const Data& data) {
  const Dim feature = data.sparse() ? Dim() : data.feature_or_sparse_dim();
  if (!feature.defined() || feature.is_dynamic() || data.rank() > 2) {
    throw rec.dict.error(fmt::format("initial_output 'var' needs an output [B,F], got {}", data.str()));
  }
  LayerPlan plan;
  plan.level = &rec.before;
  plan.name = name;
  plan.options = *rec.dict.find(name);
  plan.context.absolute_name = rec.before.absolute(name);
  resolve_scope(plan);
  const std::string variable_name = plan.scope + "/init_" + name + "_var";
  const Expr leaf = variable(plan, variable_name, Shape{feature.size()}, Value(), "zeros", 0, true);
  LayerOutput vector;
  vector.data.dims = {feature};
  vector.data.feature_axis = 0;
  vector.expr = rec.around->graph->capture(leaf);
  return broadcast_to_layout(vector, data);
}

/// The layer itself on zero inputs.
Expr NetworkConstruction::applied_to_zeros(RecSubnet& rec, const std::string& name, const Data& data) {
  const Value& dict = *rec.dict.find(name);
  NetworkLevel& level = rec.before;
  Graph& graph = *level.graph;
  LayerPlan plan = plan_of(level, name, dict);
  const Value* from = dict.find("from");
  std::vector<std::unique_ptr<BuiltLayer>> zeros;
  for (const Value& source : items_of(*from)) {
    auto zero = std::make_unique<BuiltLayer>();
    zero->output.data = resolve_in_unit(rec.inside, source.as_string(), source).output.data;
    zero->output.expr = ops::constant(graph, 0.0, zero->output.data.dtype, zero->output.data.dims);
    plan.sources.push_back(zero.get());
    plan.context.sources.push_back(zero->output.data);
    zeros.push_back(std::move(zero));
  }
  resolve_scope(plan);
  resolve_reuse(plan);
  resolve_size(plan);
  const std::unique_ptr<Layer> layer = LayerRegistry::instance().find(plan.class_name)->make(dict);
  BuiltLayer built;
  built.name = plan.context.absolute_name;
  built.output.data = layer->out_data(plan.context);
  LayerScope builder(*this, plan, built);
  built.output.expr = layer->build(builder);
  return broadcast_to_layout(built.output, data);
}

static std::string kept_leaf(const LayerPlan& plan, const std::string& key) { return "kept:" + plan.scope + "/" + key; }

/// What the value was at the end of the last batch of the epoch; zeros in the first.
Expr NetworkConstruction::kept(const LayerPlan& plan, const std::string& key, const Data& data) {
  const RecSubnet* rec = plan.level->loop;
  if (rec && rec->around->loop) {
    throw plan.options.error("a state in a loop inside of another loop cannot go on from batch to batch");
  }
  Graph& graph = rec ? *rec->around->graph : *plan.level->graph;
  return plan.level->graph->capture(ops::input(graph, kept_leaf(plan, key), data.dtype, data.dims));
}

/// In a loop `next` is a sub-output of the layer that previous() has read: what it is after the last step.
void NetworkConstruction::keep(const LayerPlan& plan, const BuiltLayer& layer, const std::string& key, Expr next) {
  RecSubnet* rec = plan.level->loop;
  if (!rec) {
    network_->kept_.push_back({kept_leaf(plan, key), ops::stop_gradient(next)});
    return;
  }
  const auto named = std::find_if(layer.sub_outputs.begin(), layer.sub_outputs.end(),
                                  [&](const auto& entry) { return entry.second.expr == next; });
  rec->kept_states.push_back({kept_leaf(plan, key), layer.name, named->first});
}

/// What states that go on from batch to batch are after the last step.
void NetworkConstruction::keep_final_states(const RecSubnet& rec) {
  for (const RecSubnet::KeptState& kept : rec.kept_states) {
    const Expr leaf = rec.states_by_name.at({kept.layer, kept.key})->leaf;
    network_->kept_.push_back({kept.leaf, ops::stop_gradient(rec.loop->final_state(leaf))});
  }
}

/// Each state's next value and first value. Layers that only `prev:` leads to are built here.
void NetworkConstruction::finish_states(RecSubnet& rec) {
  for (size_t i = 0; i < rec.states.size(); ++i) {
    RecSubnet::State& state = *rec.states[i];
    if (rec.built.count(state.layer) == 0) {
      if (!state.level) {
        throw internal_error("a state of the layer '" + state.layer + "', which is not built");
      }
      resolve(*state.level, state.local, state.level->dict);
    }
    const auto owner = rec.built.find(state.layer);
    const BuiltLayer& layer =
        owner != rec.built.end() ? *owner->second : resolve(*state.level, state.local, state.level->dict);
    const LayerOutput& next = state.key.empty() ? layer.output : layer.sub_outputs.at(state.key);
    int stage = layer.stage;
    Expr value = broadcast_to_layout(next, rec.at_stage(state.data, stage));
    for (const auto& [masked, mask] : rec.masks) {
      if ((state.layer == masked && !state.key.empty()) || state.layer.starts_with(masked + "/")) {
        value = rec.where_masked(masked, {rec.at_stage(state.data, stage), value}, stage, {state.data, state.leaf});
      }
    }
    if (rec.search) {
      value = rec.move({rec.at_stage(state.data, stage), value}, stage, rec.search->last_stage()).expr;
    }
    const std::string name = state.local.empty() ? state.layer.substr(state.layer.rfind('/') + 1) : state.local;
    const Expr initial = initial_value(rec, state.layer, name, state.key, state.data);
    rec.loop->set_state(state.leaf, value, initial);
  }
}

}  // namespace wende
