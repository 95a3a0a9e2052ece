#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <optional>

#include "layers/batch_norm.h"
#include "layers/python_layer.h"
#include "network/construction.h"
#include "network/known_classes.h"
#include "network/layer_scope.h"
#include "network/rec_subnet.h"

namespace wende {
namespace {

bool has_output_constraint(const Value& options) {
  const auto nonzero = [&options](const char* key) {
    const Value* value = options.find(key);
    return value && !value->is_none() && value->as_float() != 0.0;
  };
  return nonzero("darc1") || nonzero("spatial_smoothing");
}

/// Only the numbers of these need the layers in their options: a step may set the window of the next one.
bool template_without_refs(const std::string& class_name) {
  return class_name == "softmax_over_spatial" || class_name == "seq_len_mask";
}

/// The option that names a layer, in dicts and lists too; the layer's dict if none is it as it stands.
const Value& place_of_name(const Value& options, const std::string& name) {
  const auto in = [&](const Value& value) -> const Value* {
    if (value.is_string()) {
      return value.as_string() == name ? &value : nullptr;
    }
    if (!value.is_dict() && !value.is_sequence()) {
      return nullptr;
    }
    const Value& found = place_of_name(value, name);
    return &found == &value ? nullptr : &found;
  };
  if (options.is_sequence()) {
    for (const Value& item : options.items()) {
      if (const Value* found = in(item)) {
        return *found;
      }
    }
    return options;
  }
  for (const auto& [key, value] : options.entries()) {
    const bool input = key.is_string() && (key.as_string() == "from" || key.as_string() == "class");
    if (const Value* found = input ? nullptr : in(value)) {
      return *found;
    }
  }
  return options;
}

}  // namespace

bool NetworkConstruction::flag(const Value& options, const char* key, bool fallback) const {
  const Value* value = options.find(key);
  return value && !value->is_none() ? value->as_bool() : fallback;
}

bool NetworkConstruction::construct_own_network(const LayerClass& entry, NetworkLevel& level, const std::string& name,
                                                const Value& dict, BuiltLayer& built) {
  using Construct = void (NetworkConstruction::*)(LayerPlan&, BuiltLayer&);
  static const std::map<std::string, Construct> kClasses = {
      {"cond", &NetworkConstruction::construct_cond},
      {"get_rec_accumulated", &NetworkConstruction::construct_rec_accumulated},
      {"rec_last_output", &NetworkConstruction::construct_rec_last_output},
  };
  const bool masked = entry.name == "masked_computation";
  const auto found = kClasses.find(entry.name);
  if (!masked && found == kClasses.end()) {
    return false;
  }
  entry.make(dict);  // checks the options
  if (masked) {
    construct_masked(level, name, dict, built);  // as the layer that is its unit
    return true;
  }
  LayerPlan plan = plan_of(level, name, dict);
  built.class_name = plan.class_name;
  built.options = dict;
  check_general_options(plan);
  (this->*found->second)(plan, built);
  resolve_scope(plan);
  make_loss(plan);
  resolve_targets(plan);
  built.targets = plan.targets;
  finish_layer(plan, built);
  return true;
}

/// A template pass of a rec unit builds all layers as if they stayed in the loop. An expression may need the time axis
/// that it has before or after it; its template is known without that.
Expr NetworkConstruction::build_output(const LayerPlan& plan, Layer& layer, LayerBuilder& builder, const Data& data) {
  const RecSubnet* unit = plan.level->loop;
  const bool expression = plan.class_name == "eval" || plan.class_name == "combine";
  if (!unit || !unit->draft || !(expression || plan.lacks_refs)) {
    return layer.build(builder);
  }
  if (plan.lacks_refs) {
    return unit->loop->state({data.dtype, data.dims});
  }
  try {
    return layer.build(builder);
  } catch (const Error&) {
    return unit->loop->state({data.dtype, data.dims});
  }
}

void NetworkConstruction::resolve_refs(LayerPlan& plan, const Layer& layer) {
  if (plan.class_name == "choice" && !searches(plan.options)) {
    return;
  }
  for (const std::string& ref : layer.refs()) {
    try {
      const BuiltLayer& other = resolve(*plan.level, ref, place_of_name(plan.options, ref));
      plan.refs[ref] = &other;
      plan.context.refs[ref] = other.output.data;
    } catch (const Error& error) {
      if (error.diagnostics().back().code != kUnknownYet || !template_without_refs(plan.class_name)) {
        throw;
      }
      plan.lacks_refs = true;
    }
  }
}

void NetworkConstruction::construct_layer(NetworkLevel& level, const std::string& name, const Value& dict,
                                          BuiltLayer& built) {
  const Value* klass = dict.find("class");
  if (!klass) {
    throw dict.error(fmt::format("layer '{}': class is required", level.absolute(name)));
  }
  const LayerClass* entry = LayerRegistry::instance().find(klass->as_string());
  const std::optional<LayerClass> own = entry ? std::nullopt : python_layer_class(klass->as_string(), *klass);
  entry = own ? &*own : entry;
  if (!entry) {
    Error error = unsupported_class(klass->as_string());
    place_at(error, *klass);
    throw error;
  }
  if (construct_own_network(*entry, level, name, dict, built)) {
    return;
  }
  LayerPlan plan = plan_of(level, name, dict);
  built.class_name = plan.class_name;
  built.options = dict;
  const std::unique_ptr<Layer> layer = entry->make(dict);
  check_general_options(plan);
  if (entry->name == "subnetwork") {
    subnetwork(level, name, dict);  // before its sources: they come later in RETURNN's stream of seeds
  }
  resolve_inputs(plan);
  resolve_in_dim(plan);
  resolve_refs(plan, *layer);
  join_hypotheses(plan, built);
  resolve_scope(plan);
  resolve_reuse(plan);
  make_loss(plan);
  resolve_targets(plan);
  built.targets = plan.targets;
  resolve_size(plan);
  LayerScope builder(*this, plan, built);
  const Value* unit = entry->name == "rec" ? dict.find("unit") : nullptr;
  if (entry->name == "subnetwork") {
    construct_subnetwork(plan, built);
  } else if (unit && unit->is_dict()) {
    construct_rec_subnet(plan, built);
  } else {
    give_seed(plan);
    built.output.data = layer->out_data(plan.context);
    apply_output_options(plan, built.output.data);
    built.output.data.name = built.name;
    built.output.expr = build_output(plan, *layer, builder, built.output.data);
    if (const auto own = built.sub_outputs.find("lengths"); own != built.sub_outputs.end()) {
      sequence_lengths_.set_own(built.output.data.time_dim(), own->second.expr);
    }
  }
  apply_batch_norm(plan, built, builder);
  if (level.loop) {
    finish_in_loop(plan, built);
  }
  finish_layer(plan, built);
}

/// What a loop does with certain layers.
void NetworkConstruction::finish_in_loop(const LayerPlan& plan, BuiltLayer& built) {
  RecSubnet& rec = *plan.level->loop;
  if (const int stage = rec.search ? rec.search->stage_of(built.name) : 0; stage > 0 && !rec.draft) {
    rec.search->choices[static_cast<size_t>(stage) - 1].rows = built.sub_outputs.at("src_rows").expr;
    built.stage = stage;
  } else if (stage == 0 && plan.class_name == "choice" && searches(plan.options)) {
    throw plan.options.error(
        "a search by a choice inside of a subnetwork of the loop is not supported by Wende " WENDE_VERSION);
  }
  built.raw = plan.class_name == "decide_keep_beam";
  if (rec.open_ended && plan.level->unit == &rec && plan.name == "end") {
    join_end(rec, built);
  }
}

/// What general options do with the output, then losses and constraints.
void NetworkConstruction::finish_layer(LayerPlan& plan, BuiltLayer& built) {
  NetworkLevel& level = *plan.level;
  const ScopeGuard scope(*level.graph, built.name);
  apply_size_target(plan, built);
  check_output(plan, built);
  print_output(plan, built);
  if (built.output.expr.defined() && built.output.expr.dims().size() != built.output.data.dims.size()) {
    throw internal_error(fmt::format("layer '{}' built {} for the template {}", built.name,
                                     built.output.expr.type().str(), built.output.data.str()));
  }
  const Value* key = plan.options.find("register_as_extern_data");
  if (key && !key->is_none() && network_ == real_.get()) {
    register_output(key->as_string(), built);
  }
  add_to_network(plan, built);
  copy_output_loss(plan, built);
  if (level.loop && (plan.loss || has_output_constraint(plan.options))) {
    // Of all frames at once, after the loop.
    level.loop->deferred.push_back(std::make_unique<LayerPlan>(std::move(plan)));
    return;
  }
  add_loss(plan, built);
  add_constraints(plan, built);
}

LayerPlan NetworkConstruction::plan_of(NetworkLevel& level, const std::string& name, const Value& dict) const {
  LayerPlan plan;
  plan.level = &level;
  plan.name = name;
  plan.class_name = dict.find("class")->as_string();
  plan.options = dict;
  plan.context.name = name;
  plan.context.absolute_name = level.absolute(name);
  plan.context.train = options_.train;
  plan.context.search = options_.search;
  plan.context.behavior_version = options_.behavior_version;
  plan.context.options = dict;
  plan.context.batch_dim = batch_dim(level);
  plan.context.loop_time = level.loop ? level.loop->time : Dim();
  return plan;
}

/// The option "batch_norm": after the layer and its activation. A loss on logits takes them from before, as in RETURNN.
void NetworkConstruction::apply_batch_norm(LayerPlan& plan, BuiltLayer& built, LayerBuilder& builder) {
  const Value* option = plan.options.find("batch_norm");
  if (!option || option->is_none() || (option->is_dict() ? option->entries().empty() : !option->as_bool())) {
    return;
  }
  built.sub_outputs.emplace("activated", built.output);
  built.output.expr = batch_norm(builder, built.output, batch_norm_args(*option), plan.name);
}

void NetworkConstruction::resolve_inputs(LayerPlan& plan) {
  if (plan.class_name == "choice" && !counts_scores(plan.options) && !truthy(plan.options.find("scheduled_sampling"))) {
    return;  // takes its target: RETURNN sees no dependency on the scores either
  }
  const Value* from = plan.options.find("from");
  std::vector<Value> names;
  if (!from) {
    if (!has_no_default_input(plan.class_name)) {
      if (options_.behavior_version >= 1) {
        throw plan.options.error(fmt::format("layer '{}': 'from' is required from behavior_version 1 on", plan.name));
      }
      names.push_back(Value::of("data").placed(plan.options.span(), plan.options.path()));
    }
  } else if (from->is_sequence()) {
    names = from->items();
  } else if (!from->is_none()) {
    names.push_back(*from);
  }
  if (plan.class_name == "concat") {  // pairs of layer and axis
    for (Value& name : names) {
      if (!name.is_sequence() || name.items().size() != 2) {
        throw name.error("concat: 'from' is a list of (layer, axis) pairs, got " + name.repr());
      }
      name = Value(name.items()[0]);
    }
  }
  std::vector<size_t> unknown;
  std::optional<Error> first_unknown;
  for (const Value& name : names) {
    if (name.as_string() == "none") {
      continue;
    }
    try {
      const BuiltLayer& source = plan.class_name == "rec_unstack" && plan.level->unit
                                     ? unstacked(*plan.level, name.as_string(), name)
                                     : masked_source(plan, resolve(*plan.level, name.as_string(), name));
      plan.sources.push_back(&source);
      plan.context.sources.push_back(source.output.data);
    } catch (const Error& error) {
      if (error.diagnostics().back().code != kUnknownYet) {
        throw;
      }
      if (unknown.empty()) {
        first_unknown = error;
      }
      unknown.push_back(plan.sources.size());
      plan.sources.push_back(nullptr);
      plan.context.sources.emplace_back();
    }
  }
  if (!unknown.empty() && unknown.size() == plan.sources.size()) {
    throw *first_unknown;
  }
  for (const size_t i : unknown) {
    guess_source(plan, i);
  }
}

/// A template pass of a rec unit takes a source that it does not know yet for one like the others; the next pass knows.
void NetworkConstruction::guess_source(LayerPlan& plan, size_t index) {
  for (const BuiltLayer* known : plan.sources) {
    if (!known) {
      continue;
    }
    auto guess = std::make_unique<BuiltLayer>();
    const Data& data = known->output.data;
    guess->output = {data, plan.level->loop->loop->state({data.dtype, data.dims})};
    plan.sources[index] = guess.get();
    plan.context.sources[index] = data;
    plan.level->sub_outputs["guess:" + plan.name + ":" + std::to_string(index)] = std::move(guess);
    return;
  }
}

/// n_out: given, through out_dim, through out_type, or from the first target by way of the loss.
void NetworkConstruction::resolve_size(LayerPlan& plan) {
  const auto size_of_value = [](const Value& value) -> std::optional<int64_t> {
    if (value.kind() == Value::Kind::kInt) {
      return value.as_int();
    }
    if (value.kind() == Value::Kind::kDim) {
      if (const Value* size = value.find("dimension"); size && size->kind() == Value::Kind::kInt) {
        return size->as_int();
      }
    }
    return std::nullopt;
  };
  const Value* out_type = plan.options.find("out_type");
  for (const Value* value : {plan.options.find("n_out"), plan.options.find("out_dim"),
                             out_type && out_type->is_dict() ? out_type->find("dim") : nullptr}) {
    if (value && !plan.context.n_out) {
      plan.context.n_out = size_of_value(*value);
    }
  }
  if (plan.context.n_out || plan.targets.empty()) {
    return;
  }
  const Dim dim = plan.targets.front().data.feature_or_sparse_dim();
  if (dim.defined() && dim.is_static()) {
    plan.context.n_out = plan.loss ? plan.loss->auto_output_dim(dim.size()) : dim.size();
  }
}

/// The output becomes the data key. Where data are fed under this key, they stand for the output as well.
void NetworkConstruction::register_output(const std::string& key, BuiltLayer& built) {
  if (options_.fed_keys.count(key) != 0) {
    network_->extern_data_.keys[key] = built.output.data.with_name("data:" + key);
    built.output.expr = extern_source(key, built.options).output.expr;
  } else {
    registered_[key] = &built;
  }
}

void NetworkConstruction::add_to_network(const LayerPlan& plan, BuiltLayer& built) {
  NetworkLayer layer;
  layer.name = built.name;
  layer.class_name = built.class_name;
  layer.output = built.output;
  if (plan.level->loop) {
    layer.output.expr = {};  // a value of one step: nobody can fetch it
  }
  layer.params = built.owned;
  layer.beam_scores = built.beam ? built.beam->scores : Expr{};
  layer.options = built.options;
  network_->layers_.push_back(std::move(layer));
  network_->has_recurrent_ |= is_recurrent_class(plan.class_name) || (plan.loss && plan.loss->recurrent());
}

}  // namespace wende
