#include "graph/sized_plan.h"

#include <fmt/core.h>

#include <map>

#include "graph/op.h"

namespace wende {

std::string memory_text(const Graph& graph, const Program& program, const SizedPlan& plan, size_t most) {
  std::multimap<size_t, std::string> lines;
  for (size_t position = 0; position < program.steps.size(); ++position) {
    const Program::Step& step = program.steps[position];
    const Node& node = graph.node(step.node);
    for (const int index : step.outputs) {
      const ValuePlace& place = program.values[static_cast<size_t>(index)];
      if (place.kind != ValuePlace::Kind::kArena) continue;
      const Shape& shape = plan.shapes[static_cast<size_t>(index)];
      const size_t bytes = static_cast<size_t>(shape.elements()) * size_of(program.dtypes[static_cast<size_t>(index)]);
      lines.emplace(
          bytes, fmt::format("{:8.1f} MB at {:8.1f}, steps {:3} to {:3}, {}/{} {}\n", static_cast<double>(bytes) * 1e-6,
                             static_cast<double>(plan.offsets[static_cast<size_t>(index)]) * 1e-6, position,
                             place.last_use, graph.scope_name(node.scope), node.op->name(), shape.str()));
    }
  }
  std::string text;
  for (auto it = lines.rbegin(); it != lines.rend() && most > 0; ++it, --most) text += it->second;
  return text;
}

}  // namespace wende
