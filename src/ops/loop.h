#pragma once

#include <map>
#include <memory>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace wende::ops {

/// What a loop op runs: a graph for one step, and what its leaves and results mean. Immutable once the op exists.
/// Body leaves are: slices of sequences, captured values (the same in all steps), states, the step's index.
struct LoopBody {
  /// The leaf is input[t + offset]; outside of the sequence it is the input `boundary`.
  struct Sequence {
    NodeId leaf = -1;
    int input = -1;
    int offset = 0;
    int boundary = -1;
  };
  struct Capture {
    NodeId leaf = -1;
    int input = -1;
  };
  /// In the first step the leaf is the input `initial` (-1: zeros), later what `next` was in the step before.
  struct State {
    NodeId leaf = -1;
    Expr next;
    int initial = -1;
    bool sums = false;  ///< next = leaf + something, zero at first: added up in place
  };

  std::unique_ptr<Graph> graph;
  Dim time;
  bool reverse = false;  ///< runs from the last step to the first
  NodeId step = -1;      ///< leaf of the step's index, if there is one
  /// bool scalar: the loop ends after a step in which this is true, or when `time` is over; undefined = never. Later
  /// frames of stacked values are zero.
  Expr stop;
  int steps_state = -1;  ///< of a loop that stops: the state that counts its steps, int32 scalar
  int count = -1;        ///< input, int32 scalar: how many steps run, at most those of `time`; -1: all
  std::vector<Sequence> sequences;
  std::vector<Capture> captures;
  std::vector<State> states;
  /// Every value that a step computes. The loop op has as outputs the last value of each state, then these values
  /// stacked over time; it computes and writes only the ones that are wanted.
  std::vector<Expr> values;
  std::map<std::pair<NodeId, int>, int> value_index;  ///< node and output -> index into values
};

/// Makes a loop: get the leaves, add nodes to body(), name the states and the values to keep, finish(). Sequences,
/// captured values and the results live in the outer graph. Sequences are time-major: [time, ...].
class LoopBuilder {
 public:
  LoopBuilder(Graph& outer, Dim time, bool reverse = false);

  Graph& body() { return *body_->graph; }
  const Dim& time() const { return body_->time; }
  /// sequence[t + offset]; `boundary` stands where that is outside of the sequence.
  Expr sequence(Expr sequence, int offset = 0, Expr boundary = {});
  Expr step();  ///< int32 scalar, 0 in the first frame
  Expr state(const ExprType& type);
  /// initial: of the outer graph, or a captured one; undefined = zeros.
  void set_state(Expr state, Expr next, Expr initial);
  /// The sum of a value over all steps; final_state() of what it returns.
  Expr sum_over_steps(Expr value);
  void stop_after(Expr condition);  ///< LoopBody::stop; only once
  void run_only(Expr count);        ///< LoopBody::count; of the outer graph
  void keep(Expr value);            ///< stack() will be asked for this value

  /// Adds the loop op to the outer graph.
  void finish();
  Expr final_state(Expr state) const;
  Expr steps_done();       ///< int32 scalar: how many steps ran
  Expr stack(Expr value);  ///< [time, ...] in the outer graph: of a value that was kept, or of any leaf

 private:
  int add_input(Expr value);
  Expr leaf(const char* kind, const ExprType& type);
  void collect_values();

  Graph& outer_;
  std::shared_ptr<LoopBody> body_;
  std::vector<Expr> inputs_;
  std::map<std::pair<NodeId, int>, int> input_index_;
  std::vector<Expr> kept_;
  Expr loop_;
};

/// out[t] = x[t + offset], and `boundary` where that is outside of x. x [T,...], boundary [...].
Expr shift_steps(Expr x, Expr boundary, int offset);

}  // namespace wende::ops
