#include <fmt/core.h>

#include "network/rec_subnet.h"
#include "ops/shape.h"

namespace wende {

/// The loop first, then what stands behind it; layers in front of it are built when the others ask for them.
void NetworkConstruction::emit_rec(RecSubnet& rec, BuiltLayer& built) {
  if (!rec.before_loop.empty()) {
    start_random(rec.before);
  }
  const Value* back_prop = rec.plan->options.find("back_prop");
  rec.back_prop = !back_prop || back_prop->is_none() || truthy(back_prop);
  emit_loop(rec);
  start_random(rec.after);
  for (const auto& [names, level] :
       {std::pair(&rec.before_loop, &rec.before), std::pair(&rec.after_loop, &rec.after)}) {
    for (const std::string& name : *names) {
      if (name != ":i") {
        unit_layer(*level, name, rec.dict);
      }
    }
  }
  add_deferred(rec);
  built.unit = &rec;
  const BuiltLayer& output = unit_layer(rec.after, "output", rec.dict);
  built.output = rec.outside(rec.full(output.output));
  built.beam = output.beam ? output.beam : rec.target_beam;
  built.output.data.time_axis = 0;
  built.output.data.name = built.name;
  for (const NetworkLevel* level : {&rec.before, &rec.inside, &rec.after}) {
    for (const auto& [name, inner] : level->built) {
      for (const auto& [local, variable] : inner->params) {
        built.params[name + "/" + local] = variable;
      }
      built.owned.insert(built.owned.end(), inner->owned.begin(), inner->owned.end());
    }
  }
  if (const Value* n_out = rec.plan->options.find("n_out"); n_out && n_out->kind() == Value::Kind::kInt) {
    const Dim dim = built.output.data.feature_or_sparse_dim();
    if (dim.defined() && dim.is_static() && dim.size() != n_out->as_int()) {
      throw n_out->error(
          fmt::format("n_out is {} but the unit's output is {}", n_out->as_int(), built.output.data.str()));
    }
  }
}

void NetworkConstruction::emit_loop(RecSubnet& rec) {
  for (const std::string& name : rec.inside_loop) {
    if (name != ":i") {
      unit_layer(rec.inside, name, rec.dict);
    }
  }
  if (rec.open_ended) {
    count_lengths(rec);
  }
  finish_states(rec);
  if (rec.built.empty()) {
    rec.finished = true;
    return;
  }
  for (const auto& [name, layer] : rec.built) {
    rec.loop->keep(layer->output.expr);
    for (const auto& [key, output] : layer->sub_outputs) {
      if (output.expr.defined()) {
        rec.loop->keep(output.expr);
      }
    }
  }
  if (rec.search) {
    rec.keep_origins();
  }
  rec.loop->finish();
  rec.finished = true;
  if (rec.open_ended) {
    find_lengths(rec);
  }
  if (rec.search) {
    finish_search(rec);
  }
  keep_final_states(rec);
}

namespace {

/// A loss in a subnetwork of the unit has the subnetwork's path twice in RETURNN's logs: "loop/sub/sub/layer".
std::string name_of_loss(const std::string& loop, const std::string& layer) {
  const size_t folder = layer.rfind('/');
  return folder <= loop.size() ? layer : layer.substr(0, folder) + layer.substr(loop.size());
}

}  // namespace

/// Losses of layers in the body: of all frames at once; in a search, of the hypotheses that there were in each step.
void NetworkConstruction::add_deferred(RecSubnet& rec) {
  for (const std::unique_ptr<LayerPlan>& plan : rec.deferred) {
    if (rec.draft) {
      return;
    }
    if (rec.after.loop) {
      throw plan->options.error(
          "losses and constraints inside of nested loops are not supported by Wende " WENDE_VERSION);
    }
    const BuiltLayer& layer = *rec.built.at(plan->context.absolute_name);
    BuiltLayer stacked = layer;
    stacked.output = rec.stack_untraced(layer.output);
    for (auto& [key, output] : stacked.sub_outputs) {
      output = rec.stack_untraced(output);
    }
    plan->level = &rec.after;
    plan->targets.clear();
    plan->context.targets.clear();
    resolve_targets(*plan);
    if (plan->loss) {  // RETURNN divides the sum over a loop by its steps, whatever the loss says
      plan->loss->custom_norm_factor = plan->loss->custom_inv_norm_factor = Value();
    }
    stacked.name = name_of_loss(rec.plan->context.absolute_name, layer.name);
    const ScopeGuard scope(*rec.after.graph, layer.name);
    add_loss(*plan, stacked);
    add_constraints(*plan, stacked);
  }
}

}  // namespace wende
