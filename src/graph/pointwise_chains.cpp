#include "graph/pointwise_chains.h"

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "graph/size_op.h"
#include "graph/sized_plan.h"

namespace wende {
namespace {

using Place = ValuePlace;

/// Steps are taken from the last to the first, so that the readers of a value have taken in what they can before it
/// is its producer's turn: whatever nobody reads any more is dropped.
class ChainFinder {
 public:
  ChainFinder(const Graph& graph, Program& program) : graph_(graph), program_(program) {
    readers_.resize(program.values.size());
    producer_.assign(program.values.size(), -1);
    for (int i = 0; i < steps(); ++i) {
      for (const int input : step(i).inputs) readers_[at(input)].insert(i);
      for (const int output : step(i).outputs) producer_[at(output)] = i;
      functions_.push_back(function_of(step(i)));
      stage_.push_back(stages_);
      if (dynamic_cast<const SizeOp*>(graph.node(step(i).node).op.get()) != nullptr) ++stages_;
    }
    fetched_.insert(program.fetch_values.begin(), program.fetch_values.end());
    for (int i = 0; i < steps(); ++i) repeated_.push_back(worth_repeating(i));
    dropped_.assign(program.steps.size(), false);
  }

  void run() {
    for (int i = steps() - 1; i >= 0; --i) {
      if (!functions_[at(i)]) continue;
      if (hidden(step(i).outputs[0]) && readers_[at(step(i).outputs[0])].empty()) {
        drop(i);
      } else {
        join_at(i);
      }
    }
    remove_dropped();
  }

 private:
  static size_t at(int index) { return static_cast<size_t>(index); }
  int steps() const { return static_cast<int>(program_.steps.size()); }
  const Program::Step& step(int index) const { return program_.steps[at(index)]; }
  const Place& place(int value) const { return program_.values[at(value)]; }

  bool same_shape(int a, int b) const {
    const auto same = [this](int x, int y) { return program_.dims[at(x)].same_size(program_.dims[at(y)]); };
    const std::vector<int>& dims = place(a).dims;
    return std::equal(dims.begin(), dims.end(), place(b).dims.begin(), place(b).dims.end(), same);
  }

  bool plain_float(int value) const { return program_.dtypes[at(value)] == DType::kFloat32 && place(value).packed < 0; }

  std::optional<PointwiseFunction> function_of(const Program::Step& step) const {
    const auto function = graph_.node(step.node).op->pointwise_function();
    const bool plain = function && chains_take(*function) && step.outputs.size() == 1 && step.frames_of < 0 &&
                       plain_float(step.outputs[0]) &&
                       std::all_of(step.inputs.begin(), step.inputs.end(), [this](int v) { return plain_float(v); });
    return plain ? function : std::nullopt;
  }

  /// Nobody outside of the steps sees it.
  bool hidden(int value) const { return place(value).kind == Place::Kind::kArena && fetched_.count(value) == 0; }

  /// Cheap, of one value of its size, and read by element-wise steps of that size alone: each of them may compute it
  /// again, which takes no more memory traffic than to read it, and what was written and kept for them vanishes. (The
  /// normalised values of a layer norm, for its gradient.)
  bool worth_repeating(int index) const {
    if (!functions_[at(index)] || functions_[at(index)]->kind != PointwiseFunction::Kind::kBinary) return false;
    const int value = step(index).outputs[0];
    const auto fits = [&](int reader) { return functions_[at(reader)] && same_shape(step(reader).outputs[0], value); };
    const std::vector<int>& inputs = step(index).inputs;
    const auto large = std::count_if(inputs.begin(), inputs.end(), [&](int x) { return same_shape(x, value); });
    return hidden(value) && large <= 1 && std::all_of(readers_[at(value)].begin(), readers_[at(value)].end(), fits);
  }

  struct Chained {
    PointwiseChain chain;
    std::vector<int> inputs;  ///< values
  };

  void join_at(int root) {
    std::set<int> members{root};
    std::optional<Chained> chained;
    bool more = true;
    while (more) {
      more = false;
      for (const int member : std::set<int>(members)) {
        for (const int value : step(member).inputs) {
          const int producer = producer_[at(value)];
          if (members.count(producer) != 0 || !can_join(producer, value, root, members)) continue;
          std::set<int> larger = members;
          larger.insert(producer);
          std::optional<Chained> longer = chain_of(larger);
          if (!longer) continue;
          members = std::move(larger);
          chained = std::move(longer);
          more = true;
        }
      }
    }
    if (chained) replace(root, members, std::move(*chained));
  }

  bool can_join(int producer, int value, int root, const std::set<int>& members) const {
    if (producer < 0 || !functions_[at(producer)] || stage_[at(producer)] != stage_[at(root)] || !hidden(value) ||
        !same_shape(value, step(root).outputs[0])) {
      return false;
    }
    const std::set<int>& readers = readers_[at(value)];
    const auto only_here = [&](int reader) {
      return members.count(reader) != 0 && !computed_elsewhere(reader, root, members);
    };
    return repeated_[at(producer)] || (std::all_of(readers.begin(), readers.end(), only_here) &&
                                       (root - producer <= kNear || longer_lived(producer, root) <= 1));
  }

  /// Whether the member is one of those that others repeat as well.
  bool computed_elsewhere(int member, int root, const std::set<int>& members) const {
    if (member == root) return false;
    const std::set<int>& readers = readers_[at(step(member).outputs[0])];
    return !std::includes(members.begin(), members.end(), readers.begin(), readers.end());
  }

  /// How many inputs of the result's size nobody else needs until `root`.
  int longer_lived(int producer, int root) const {
    const std::set<int> inputs(step(producer).inputs.begin(), step(producer).inputs.end());
    return static_cast<int>(std::count_if(inputs.begin(), inputs.end(), [&](int value) {
      return place(program_.root(value)).kind == Place::Kind::kArena && same_shape(value, step(root).outputs[0]) &&
             *readers_[at(value)].rbegin() < root;
    }));
  }

  /// Nothing if there are too many steps, inputs or values at a time.
  std::optional<Chained> chain_of(const std::set<int>& members) const {
    Chained result;
    std::set<int> inside;
    for (const int member : members) inside.insert(step(member).outputs[0]);
    for (const int member : members) {
      for (const int value : step(member).inputs) {
        const bool known = std::find(result.inputs.begin(), result.inputs.end(), value) != result.inputs.end();
        if (inside.count(value) == 0 && !known) result.inputs.push_back(value);
      }
    }
    result.chain.inputs = static_cast<int>(result.inputs.size());
    if (members.size() > PointwiseChain::kMostSteps || result.inputs.size() > PointwiseChain::kMostInputs) return {};
    std::map<int, int8_t> operand_of;
    for (size_t i = 0; i < result.inputs.size(); ++i) operand_of[result.inputs[i]] = static_cast<int8_t>(i);
    if (!place_steps(members, operand_of, result.chain)) return {};
    return result;
  }

  /// False: there are not enough registers.
  bool place_steps(const std::set<int>& members, std::map<int, int8_t>& operand_of, PointwiseChain& chain) const {
    std::map<int, int> last_reader;  // by value: a member
    for (const int member : members) {
      for (const int value : step(member).inputs) last_reader[value] = member;
    }
    std::array<int, PointwiseChain::kMostRegisters> busy_until{};  // the last member that reads the register
    busy_until.fill(-1);
    for (const int member : members) {
      const Program::Step& joined = step(member);
      PointwiseChain::Step next{*functions_[at(member)], operand_of.at(joined.inputs.front()),
                                operand_of.at(joined.inputs.back()), PointwiseChain::kResult};
      const bool last = member == *members.rbegin();
      if (!last) {
        // A register that this member is the last to read is free for what it writes.
        const auto free =
            std::find_if(busy_until.begin(), busy_until.end(), [member](int until) { return until <= member; });
        if (free == busy_until.end()) return false;
        *free = last_reader.at(joined.outputs[0]);
        next.to = static_cast<int8_t>(free - busy_until.begin());
        operand_of[joined.outputs[0]] = static_cast<int8_t>(chain.inputs + next.to);
      }
      chain.steps.push_back(next);
    }
    return true;
  }

  void replace(int root, const std::set<int>& members, Chained chained) {
    auto nodes = std::make_shared<ChainedNodes>();
    nodes->chain = std::move(chained.chain);
    for (const int member : members) nodes->nodes.push_back(step(member).node);
    forget_inputs(root);
    for (const int value : chained.inputs) readers_[at(value)].insert(root);
    program_.steps[at(root)].inputs = std::move(chained.inputs);
    program_.steps[at(root)].chain = std::move(nodes);
  }

  void drop(int index) {
    forget_inputs(index);
    dropped_[at(index)] = true;
    program_.values[at(step(index).outputs[0])].wanted = false;
  }

  void forget_inputs(int index) {
    for (const int value : step(index).inputs) readers_[at(value)].erase(index);
  }

  void remove_dropped() {
    const int old_end = steps();
    std::vector<Program::Step> kept;
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      if (!dropped_[i]) kept.push_back(std::move(program_.steps[i]));
    }
    program_.steps = std::move(kept);
    set_last_uses(old_end);
  }

  void set_last_uses(int old_end) {
    const int end = steps();
    for (Place& place : program_.values) place.last_use = place.last_use == old_end ? end : -1;
    const auto used = [this](int value, int position) {
      Place& root = program_.values[at(program_.root(value))];
      root.last_use = std::max(root.last_use, position);
    };
    for (int position = 0; position < end; ++position) {
      for (const int output : step(position).outputs) {
        Place& own = program_.values[at(output)];
        own.last_use = std::max(own.last_use, position);
      }
      for (const int input : step(position).inputs) used(input, position);
    }
  }

  /// So many steps later, inputs do not take memory for long.
  static constexpr int kNear = 8;

  const Graph& graph_;
  Program& program_;
  std::vector<std::set<int>> readers_;  ///< by value: the steps that read it, as things stand
  std::vector<int> producer_;           ///< by value
  std::vector<std::optional<PointwiseFunction>> functions_;
  std::vector<int> stage_;
  int stages_ = 0;
  std::set<int> fetched_;
  std::vector<bool> repeated_;  ///< steps that are worth repeating
  std::vector<bool> dropped_;
};

}  // namespace

void join_pointwise_chains(const Graph& graph, Program& program) { ChainFinder(graph, program).run(); }

void run_chain(const Graph& graph, const ChainedNodes& chained, RunContext& context) {
  std::vector<Tensor> inputs;
  for (int i = 0; i < chained.chain.inputs; ++i) inputs.push_back(context.input(i));
  const Tensor& out = context.output(0);
  for (size_t i = 0; context.options().check_numerics && i + 1 < chained.nodes.size(); ++i) {
    const Node& node = graph.node(chained.nodes[i]);
    const Tensor part = context.scratch(DType::kFloat32, out.shape());
    WENDE_ON_DEVICE(context.device(), pointwise_chain(chained.chain.first(i + 1), inputs, part));
    require_finite(part, graph.scope_name(node.scope), node.op->name());
  }
  WENDE_ON_DEVICE(context.device(), pointwise_chain(chained.chain, inputs, out));
}

}  // namespace wende
