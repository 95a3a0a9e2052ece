#include "network/rec_subnet.h"

#include <fmt/core.h>

#include "layers/axis_option.h"
#include "layers/axis_order.h"
#include "layers/dim_tag.h"
#include "ops/shape.h"

namespace wende {
namespace {

/// The input with its time axis first and named `time`.
LayerOutput time_major(LayerOutput x, const Dim& time) {
  if (!x.data.has_time()) {
    return x;
  }
  x.data.dims[static_cast<size_t>(x.data.time_axis)] = time;
  x.expr = ops::reshape(x.expr, x.data.dims);
  return with_axis_first(x, x.data.time_axis);
}

void refuse_options(const Value& options) {
  // A unit of layers runs forward whatever the direction: RETURNN only checks the number.
  if (const Value* direction = options.find("direction");
      direction && !direction->is_none() && direction->as_int() != 1 && direction->as_int() != -1) {
    throw direction->error("direction must be 1 or -1");
  }
  for (const char* key : {"unit_opts", "initial_state", "state"}) {
    if (const Value* value = options.find(key); value && !value->is_none()) {
      throw value->error(fmt::format("'{}' is for cells, not for a unit of layers", key));
    }
  }
}

/// The layer takes apart the dim tag that is the loop's axis.
bool unstacks_axis_of(const Value& loop, const Value& layer) {
  const Value* of_loop = loop.find("axis");
  const Value* of_layer = layer.find("axis");
  const Value* kind = layer.find("class");
  return of_loop && of_layer && kind && kind->is_string() && kind->as_string() == "rec_unstack" &&
         of_loop->kind() == Value::Kind::kDim && of_layer->kind() == Value::Kind::kDim &&
         tag_id(*of_loop) == tag_id(*of_layer);
}

}  // namespace

/// Which dim the loop runs over: the axis option, the input's time, size_target's or the target's.
Dim NetworkConstruction::rec_time(LayerPlan& plan, const LayerOutput* input) {
  const Value& options = plan.options;
  if (const Value* axis = options.find("axis"); axis && !axis->is_none() && input) {
    return input->data.dims[static_cast<size_t>(axis_of_option(input->data, *axis, options_.behavior_version))];
  }
  const bool ends_itself = options.find("unit")->find("end") != nullptr;
  if (input && !ends_itself && input->data.has_time()) {
    return input->data.time_dim();
  }
  const auto time_of = [&](const Value* name) {
    if (!name || name->is_none()) {
      return Dim();
    }
    const Value first = name->is_sequence() && !name->items().empty() ? name->items().front() : *name;
    const TargetRef target = target_ref(*plan.level, first.as_string(), first, plan.name);
    if (!target.data.has_time()) {
      throw first.error("the loop's length comes from this target, but it has no time axis: " + target.data.str());
    }
    if (!target.key.empty()) {
      extern_source(target.key, first);  // its lengths are needed, even if nothing reads its labels
    }
    return target.data.time_dim();
  };
  if (const Dim time = time_of(options.find("size_target")); time.defined()) {
    return time;
  }
  // Where an overlay alone searches, its hypotheses are as long as the target, too.
  if (options_.eval && !(options_.search && real_->options_.search)) {
    if (const Dim time = time_of(options.find("target")); time.defined()) {
      return time;
    }
  }
  if (const Dim time = target_time_of_choices(*plan.level, *options.find("unit")); time.defined()) {
    return time;
  }
  return declared_rec_time(plan);
}

/// A rec_unstack layer of the unit with declare_rec_time, or of the loop's own axis, says how long the loop is.
Dim NetworkConstruction::declared_rec_time(LayerPlan& plan) {
  const Value& unit = *plan.options.find("unit");
  for (const std::string& name : sorted_names(unit)) {
    const Value& dict = *unit.find(name);
    if (!dict.is_dict() || !(truthy(dict.find("declare_rec_time")) || unstacks_axis_of(plan.options, dict))) {
      continue;
    }
    const Value* from = dict.find("from");
    const Value source = from && from->is_sequence() && !from->items().empty() ? from->items().front()
                         : from                                                ? *from
                                                                               : Value();
    if (!source.is_string() || !source.as_string().starts_with("base:")) {
      throw dict.error("declare_rec_time needs a layer outside of the loop: \"from\": \"base:...\"");
    }
    const Data& data = resolve(*plan.level, source.as_string().substr(5), source).output.data;
    const Value* axis = dict.find("axis");
    const int index =
        axis && !axis->is_none() ? axis_of_option(data, *axis, options_.behavior_version) : data.time_axis;
    if (index >= 0) {
      return data.dims[static_cast<size_t>(index)];
    }
  }
  if (unit.find("end") == nullptr) {
    throw plan.options.error(
        "the length of this loop is not defined: it has no input or target with a time axis, and "
        "no 'end' layer");
  }
  return {};
}

void RecSubnet::prepare_levels(Network& effects, ErrorCollector& errors) {
  const Value* scope = plan->options.find("name_scope");
  for (NetworkLevel* side : {&before, &inside, &after}) {
    side->parent = around;
    side->graph = around->graph;
    side->unit = this;
    side->loop = around->loop;
    side->effects = &effects;
    side->errors = &errors;
    side->dict = dict;
    side->name = plan->context.absolute_name;
    side->scope = scope && !scope->is_none() ? plan->scope : plan->scope + "/rec";
    side->trainable = plan->trainable;
    side->batch = search && side != &before ? search->batch(0) : rows.defined() ? rows : around->batch;
  }
  loop = std::make_unique<ops::LoopBuilder>(*around->graph, time);
  inside.graph = &loop->body();
  inside.loop = this;
}

/// Where the target is all hypotheses of a search, the loop runs for each of them: its rows are [B*beam].
static void take_hypotheses(RecSubnet& rec, const std::vector<TargetRef>& targets) {
  const BuiltLayer* found = nullptr;
  for (const TargetRef& target : targets) {
    if (!target.layer || !target.layer->beam) continue;
    const Data& data = target.layer->output.data;
    if (found && !data.dims[static_cast<size_t>(data.batch_axis())].same_size(rec.rows)) {
      throw rec.plan->options.find("target")->error(
          fmt::format("the targets are hypotheses of different searches, {} and {}: this is not supported by "
                      "Wende " WENDE_VERSION,
                      found->output.data.str(), data.str()));
    }
    found = target.layer;
    rec.rows = data.dims[static_cast<size_t>(data.batch_axis())];
    rec.target_beam = target.layer->beam;
  }
}

void NetworkConstruction::construct_rec_subnet(LayerPlan& plan, BuiltLayer& built) {
  refuse_options(plan.options);
  auto unit = std::make_unique<RecSubnet>();
  RecSubnet& rec = *unit;
  units_.push_back(std::move(unit));
  rec.plan = &plan;
  rec.around = plan.level;
  rec.dict = *plan.options.find("unit");
  rec.inside.parent = plan.level;
  start_random(rec.inside);
  rec.has_input = !plan.sources.empty();
  if (rec.has_input) {
    rec.input = joined_input(plan);
    if (!rec.input.data.has_time()) {
      throw plan.options.error("the input of a rec layer with a unit of layers needs a time axis, got " +
                               rec.input.data.str());
    }
  }
  rec.around_time = rec_time(plan, rec.has_input ? &rec.input : nullptr);
  take_hypotheses(rec, plan.targets);
  if (rec.around->loop && rec.around->loop->search) {
    rec.rows = batch_dim(plan);
  }
  prepare_search(rec);
  if (!rec.around_time.defined()) {
    prepare_end(rec);
  } else {
    rec.time = Dim::derived(Dim::Op::kMul, {rec.around_time, Dim::fixed(1, Dim::Kind::kSpatial)}, Dim::Kind::kSpatial,
                            "loop:" + plan.context.absolute_name);
    rec.out_time = rec.time;
  }
  const Value* include_eos = plan.options.find("include_eos");
  rec.include_eos = include_eos && truthy(include_eos);
  rec.input = time_major(std::move(rec.input), rec.time);
  const Value* optimize = plan.options.find("optimize_move_layers_out");
  optimize = optimize && !optimize->is_none() ? optimize : config_.find("optimize_move_layers_out");
  rec.optimize = !optimize || optimize->is_none() || optimize->as_bool();
  if (!rec.dict.find("output")) {
    throw rec.dict.error(fmt::format("the unit of layer '{}' has no layer 'output'", built.name));
  }
  find_templates(rec);
  if (rec.search && order_choices(rec)) {
    rec.templates.clear();
    find_templates(rec);
  }
  // Of initialisers that a unit of layers does not use. RETURNN draws them after those of the layers that it reads.
  draw_unit_seeds(plan);
  rec.prepare_levels(*plan.level->effects, *plan.level->errors);
  rec.partition(needed_layers(rec));
  if (!(rec.around->loop && rec.around->loop->draft)) {
    print_partition(rec);
  }
  emit_rec(rec, built);
  rec.plan = nullptr;
}

/// The layers of a unit that are built for their own sake.
std::vector<std::string> NetworkConstruction::needed_layers(const RecSubnet& rec) const {
  std::vector<std::string> names{"output"};
  if (rec.open_ended) {
    names.push_back("end");
  }
  for (const std::string& name : sorted_names(rec.dict)) {
    const Value& dict = *rec.dict.find(name);
    if (!dict.is_dict() || skipped(dict) || name == "output" || (rec.open_ended && name == "end")) {
      continue;
    }
    if ((options_.eval && !rec.search && truthy(dict.find("loss"))) || truthy(dict.find("is_output_layer")) ||
        truthy(dict.find("need_last"))) {
      names.push_back(name);
    }
  }
  return names;
}

}  // namespace wende
