#include "network/layer_scope.h"

#include <fmt/core.h>

#include "network/rec_subnet.h"

namespace wende {

LayerOutput LayerScope::source(int index) const {
  if (index < 0 || index >= source_count()) {
    throw plan_.options.error(fmt::format("layer '{}' needs input {} but has {}", plan_.name, index, source_count()));
  }
  return plan_.sources[static_cast<size_t>(index)]->output;
}

LayerOutput LayerScope::ref(const std::string& name) const {
  const auto found = plan_.refs.find(name);
  if (found == plan_.refs.end()) {
    throw internal_error("layer '" + name + "' was not among the layers that " + plan_.name + " named");
  }
  return found->second->output;
}

LayerOutput LayerScope::target(int index) const {
  if (index < 0 || index >= static_cast<int>(plan_.targets.size())) {
    throw plan_.options.error(fmt::format("layer '{}' needs a target", plan_.name));
  }
  return construction_.target_of(plan_, plan_.targets[static_cast<size_t>(index)]);
}

LayerOutput LayerScope::source_sub_output(int index, const std::string& key) const {
  if (index < 0 || index >= source_count()) {
    return {};
  }
  const BuiltLayer& source = *plan_.sources[static_cast<size_t>(index)];
  if (key == "target" && !source.targets.empty()) {
    return construction_.target_output(*plan_.level, source.targets.front());
  }
  const auto& outputs = source.sub_outputs;
  const auto found = outputs.find(key);
  return found == outputs.end() ? LayerOutput{} : found->second;
}

Expr LayerScope::loop_step() { return plan_.level->graph->capture(plan_.level->loop->loop->step()); }

void LayerScope::add_stat(Stat stat) { construction_.add_stat(std::move(stat)); }
void LayerScope::add_sink(Sink sink) { construction_.add_sink(std::move(sink)); }

}  // namespace wende
