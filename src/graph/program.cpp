#include "graph/program.h"

#include <algorithm>
#include <map>
#include <unordered_map>

#include "base/error.h"
#include "graph/leaf_op.h"
#include "graph/op.h"
#include "graph/padding_analysis.h"
#include "graph/pointwise_chains.h"
#include "graph/running_order.h"
#include "graph/size_op.h"

namespace wende {

namespace {

/// Builds a Program from the needed nodes of a graph.
class Compiler {
 public:
  Compiler(const Graph& graph, const std::vector<Fetch>& fetches) : graph_(graph), fetches_(fetches) {}

  Program compile(Device device) {
    const RunningOrder order = running_order(graph_, fetches_, !device.is_cpu());
    for (const NodeId id : order.nodes) {
      add_step(id);
      if (const auto fused = order.fused.find(id); fused != order.fused.end()) {
        for (const auto& [value, output] : fused->second->gives) {
          value_of_[{value.node, value.output}] = value_of_.at({id, output});
        }
      }
    }
    place_fetches();
    find_padding(graph_, program_, /*pack=*/device.is_cpu());
    join_pointwise_chains(graph_, program_);
    find_producers();
    find_in_place();
    return std::move(program_);
  }

 private:
  int dim_index(const Dim& dim) {
    const auto [it, inserted] = dim_of_.emplace(dim.id(), static_cast<int>(program_.dims.size()));
    if (inserted) {
      program_.dims.push_back(dim);
    }
    return it->second;
  }

  void add_step(NodeId id) {
    const Node& node = graph_.node(id);
    const int position = static_cast<int>(program_.steps.size());
    Program::Step step{.node = id};
    for (const Expr& input : node.inputs) {
      const int value = value_of_.at({input.node, input.output});
      step.inputs.push_back(value);
      program_.values[static_cast<size_t>(value)].wanted = true;
      program_.values[static_cast<size_t>(program_.root(value))].last_use = position;
    }
    const bool leaf = dynamic_cast<const LeafOp*>(node.op.get()) != nullptr;
    const int aliased = node.op->aliases_input();
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      ValuePlace place;
      place.last_use = position;
      if (leaf) {
        place.kind = ValuePlace::Kind::kLeaf;
      } else if (aliased >= 0) {
        place.kind = ValuePlace::Kind::kAlias;
        place.alias_of = step.inputs[static_cast<size_t>(aliased)];
      }
      for (const Dim& dim : node.outputs[i].dims) {
        place.dims.push_back(dim_index(dim));
      }
      const int value = static_cast<int>(program_.values.size());
      value_of_[{id, static_cast<int>(i)}] = value;
      step.outputs.push_back(value);
      program_.values.push_back(std::move(place));
      program_.dtypes.push_back(node.outputs[i].dtype);
    }
    producer_.resize(program_.values.size(), position);
    program_.steps.push_back(std::move(step));
  }

  /// A fetch with memory of its own is written in place if nobody else reads the value; else it is copied out.
  void place_fetches() {
    const int end = static_cast<int>(program_.steps.size());
    for (size_t f = 0; f < fetches_.size(); ++f) {
      const int value = value_of_.at({fetches_[f].expr.node, fetches_[f].expr.output});
      program_.fetch_values.push_back(value);
      ValuePlace& place = program_.values[static_cast<size_t>(value)];
      Program::Step& step = program_.steps[static_cast<size_t>(producer_[static_cast<size_t>(value)])];
      step.ready_fetches.push_back(static_cast<int>(f));
      if (fetches_[f].into.defined() || fetches_[f].pointed) {
        if (place.kind == ValuePlace::Kind::kArena && (!place.wanted || fetches_[f].pointed)) {
          place.kind = ValuePlace::Kind::kFetch;
          place.fetch = static_cast<int>(f);
        } else {
          step.copy_fetches.push_back(static_cast<int>(f));
        }
      } else {
        program_.values[static_cast<size_t>(program_.root(value))].last_use = end;
      }
      place.wanted = true;
    }
  }

  void find_producers() {
    for (size_t position = 0; position < program_.steps.size(); ++position) {
      const Program::Step& step = program_.steps[position];
      for (const int output : step.outputs) producer_[static_cast<size_t>(output)] = static_cast<int>(position);
      if (dynamic_cast<const SizeOp*>(graph_.node(step.node).op.get()) != nullptr) {
        size_steps_.push_back(static_cast<int>(position));
      }
    }
  }

  void find_in_place() {
    for (size_t position = 0; position < program_.steps.size(); ++position) {
      Program::Step& step = program_.steps[position];
      const OpTraits traits = graph_.node(step.node).op->traits();
      if (traits.overwrites.output >= 0) {
        take_over(position, step.inputs[static_cast<size_t>(traits.overwrites.input)],
                  step.outputs[static_cast<size_t>(traits.overwrites.output)]);
      } else if (traits.pointwise && step.outputs.size() == 1) {
        for (const int input : step.inputs) {
          if (take_over(position, input, step.outputs[0])) break;
        }
      }
    }
  }

  /// Stages have memory of their own.
  std::ptrdiff_t stage_of(int position) const {
    return std::lower_bound(size_steps_.begin(), size_steps_.end(), position) - size_steps_.begin();
  }

  /// Gives an output the memory of an input of the same type and layout that nobody reads later.
  bool take_over(size_t position, int input, int output) {
    const int base = program_.root(input);
    const ValuePlace& from = program_.values[static_cast<size_t>(base)];
    const ValuePlace& to = program_.values[static_cast<size_t>(output)];
    const bool same_type = program_.dtypes[static_cast<size_t>(input)] == program_.dtypes[static_cast<size_t>(output)];
    const bool same_dims = program_.values[static_cast<size_t>(input)].dims == to.dims;
    if (to.kind != ValuePlace::Kind::kArena || from.kind != ValuePlace::Kind::kArena || !same_type || !same_dims ||
        from.packed != to.packed || from.last_use != static_cast<int>(position) ||
        stage_of(producer_[static_cast<size_t>(base)]) != stage_of(static_cast<int>(position))) {
      return false;
    }
    program_.steps[position].in_place_input = base;
    program_.steps[position].in_place_output = output;
    return true;
  }

  const Graph& graph_;
  const std::vector<Fetch>& fetches_;
  Program program_;
  std::vector<int> producer_;
  std::vector<int> size_steps_;  ///< positions of the nodes that find out sizes
  std::unordered_map<uint64_t, int> dim_of_;
  std::map<std::pair<NodeId, int>, int> value_of_;
};

}  // namespace

int Program::root(int value) const {
  while (values[static_cast<size_t>(value)].kind == ValuePlace::Kind::kAlias) {
    value = values[static_cast<size_t>(value)].alias_of;
  }
  return value;
}

Program Program::compile(const Graph& graph, const std::vector<Fetch>& fetches, Device device) {
  return Compiler(graph, fetches).compile(device);
}

}  // namespace wende
