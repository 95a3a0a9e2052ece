#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "network/rec_subnet.h"

namespace wende {
namespace {

bool same_template(const Data& a, const Data& b) {
  if (a.rank() != b.rank() || a.dtype != b.dtype || a.time_axis != b.time_axis || a.feature_axis != b.feature_axis ||
      a.sparse() != b.sparse() || (a.sparse() && !a.sparse_dim.same_size(b.sparse_dim))) {
    return false;
  }
  for (size_t i = 0; i < a.dims.size(); ++i) {
    if (!a.dims[i].same_size(b.dims[i])) {
      return false;
    }
  }
  return true;
}

}  // namespace

void RecSubnet::add_dependency(const std::string& layer, bool previous) {
  if (!draft || open.empty()) {
    return;
  }
  std::vector<Dependency>& list = dependencies[open.back()];
  const Dependency dependency{layer, previous};
  const auto same = [&](const Dependency& other) { return !(other < dependency) && !(dependency < other); };
  if (std::none_of(list.begin(), list.end(), same)) {
    list.push_back(dependency);
  }
}

/// Builds all layers of the unit as the body of a loop that is thrown away, to learn their templates and dependencies.
/// Layers that `prev:` leads to are taken from the last pass; what is not known yet is left out of the inputs. Passes
/// go on until nothing changes.
void NetworkConstruction::find_templates(RecSubnet& rec) {
  const int most = 3 + static_cast<int>(rec.dict.keys().size());
  for (int pass = 0;; ++pass) {
    RecSubnet draft;
    draft.plan = rec.plan;
    draft.around = rec.around;
    draft.dict = rec.dict;
    draft.rows = rec.rows;
    draft.around_time = rec.around_time;
    draft.time = rec.time;
    draft.out_time = rec.out_time;
    draft.open_ended = rec.open_ended;
    draft.include_eos = rec.include_eos;
    if (rec.search) {
      draft.search = std::make_shared<RecSubnet::Search>(*rec.search);
      for (RecSubnet::Choice& choice : draft.search->choices) choice.batch = rec.search->batch(0);
    }
    draft.has_input = rec.has_input;
    draft.input = rec.input;
    draft.draft = true;
    draft.templates = rec.templates;
    ErrorCollector errors;
    Network scratch;
    draft.prepare_levels(scratch, errors);
    draft.optimize = rec.optimize;
    const std::string unknown = template_pass(draft);
    bool changed = false;
    bool settled = unknown.empty() && errors.empty();
    for (const auto& [name, layer] : draft.built) {
      RecTemplate found{layer->output.data, {}};
      for (const auto& [id, initial] : draft.initials) {
        const auto sub = layer->sub_outputs.find(id.second);
        if (id.first == name && sub != layer->sub_outputs.end()) {
          found.states[id.second] = sub->second.data;
        }
      }
      const auto old = rec.templates.find(name);
      const bool same = old != rec.templates.end() && same_template(old->second.data, found.data) &&
                        old->second.states.size() == found.states.size();
      changed = changed || !same;
      settled = settled && (same || draft.used_templates.count(name) == 0);
      rec.templates[name] = std::move(found);
    }
    rec.dependencies = draft.dependencies;
    if (settled) {
      return;
    }
    if (!changed || pass == most) {
      errors.throw_if_any();
      throw rec.dict
          .error(fmt::format(
              "the templates of the layers in this unit do not settle: {} needs outputs of the step before that say "
              "nothing of their size",
              unknown.empty() ? "a layer" : "'" + unknown + "'"))
          .hint("n_out, or out_type with shape and dtype, says what a layer gives before its inputs are known");
    }
  }
}

/// Returns a layer that could not be built because something of the step before is not known, or "".
std::string NetworkConstruction::template_pass(RecSubnet& rec) {
  std::string unknown;
  const auto build = [&](NetworkLevel& level, const std::string& name) {
    try {
      resolve(level, name, level.dict);
    } catch (const Error& error) {
      if (error.diagnostics().back().code == kUnknownYet) {
        unknown = level.absolute(name);
      } else if (!is_dependent(error)) {
        level.errors->add(error);
      }
    }
  };
  for (const std::string& name : needed_layers(rec)) {
    build(rec.inside, name);
  }
  for (size_t i = 0; i < rec.previous_layers.size(); ++i) {
    const auto [level, name] = rec.previous_layers[i];
    if (level->failed.count(name) == 0) {
      build(*level, name);
    }
  }
  return unknown;
}

}  // namespace wende
