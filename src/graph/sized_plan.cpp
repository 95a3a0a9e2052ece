#include "graph/sized_plan.h"

#include <fmt/core.h>

#include <map>

#include "base/error.h"
#include "graph/op.h"
#include "graph/planner.h"
#include "tensor/finite.h"

namespace wende {

void SizedPlan::lay_out(const Graph& graph, const Program& program, const std::vector<int64_t>& sizes, size_t begin,
                        size_t stop) {
  std::vector<Lifetime> lifetimes;
  std::vector<int> piece_of(program.values.size(), -1);
  shapes.resize(program.values.size());
  offsets.assign(program.values.size(), 0);
  for (size_t position = begin; position < stop; ++position) {
    const Program::Step& step = program.steps[position];
    for (const int index : step.outputs) {
      const ValuePlace& place = program.values[static_cast<size_t>(index)];
      Shape& shape = shapes[static_cast<size_t>(index)];
      for (const int dim : place.dims) {
        shape.push_back(sizes[static_cast<size_t>(dim)]);
      }
      if (place.packed >= 0) shape = {sizes[program.dims.size() + static_cast<size_t>(place.packed)], shape[2]};
      if (place.kind != ValuePlace::Kind::kArena) {
        continue;
      }
      if (index == step.in_place_output) {
        const int piece = piece_of[static_cast<size_t>(step.in_place_input)];
        lifetimes[static_cast<size_t>(piece)].end = std::max(lifetimes[static_cast<size_t>(piece)].end, place.last_use);
        piece_of[static_cast<size_t>(index)] = piece;
        continue;
      }
      piece_of[static_cast<size_t>(index)] = static_cast<int>(lifetimes.size());
      const bool written = place.wanted || !graph.node(step.node).op->traits().skips_unwanted;
      const size_t needed =
          written ? static_cast<size_t>(shape.elements()) * size_of(program.dtypes[static_cast<size_t>(index)]) : 0;
      largest = std::max(largest, needed);
      lifetimes.push_back({needed, static_cast<int>(position), place.last_use});
    }
  }
  const ArenaPlan arena = plan_arena(lifetimes);
  bytes = arena.bytes;
  for (size_t i = 0; i < piece_of.size(); ++i) {
    if (piece_of[i] >= 0) {
      offsets[i] = arena.offsets[static_cast<size_t>(piece_of[i])];
    }
  }
}

void require_finite(const Tensor& value, const std::string& layer, std::string_view operation) {
  if (!numbers_finite(value)) {
    throw Error(ExitStatus::kNonFinite, fmt::format("layer '{}', operation '{}': first non-finite value, shape {}",
                                                    layer, operation, value.shape().str()));
  }
}

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
