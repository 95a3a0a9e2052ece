#pragma once

#include <memory>
#include <vector>

#include "graph/executor.h"
#include "graph/op.h"
#include "ops/loop.h"

namespace wende::ops {

/// Runs a loop body, for those of the loop's outputs that somebody reads. The body is compiled once and planned once
/// per size combination; a step then points the leaves at slices and runs the kernels, which write into slices. On a
/// GPU, a loop that no recorded launch holds as a whole, since it needs the host, repeats one recorded step: its leaves
/// and fetches have places of their own then, and two launches copy slices there and back.
class LoopRun {
 public:
  LoopRun(std::shared_ptr<const LoopBody> body, const RunContext& context);
  void run(RunContext& context);

 private:
  struct StateRun {
    int state = -1;
    int fetch = -1;  ///< of the next value, if it is not stacked anyway
    int value = -1;  ///< index into values_, if it is
    Tensor buffers[2];
    Tensor last;       ///< the value after the last step so far
    Tensor now, next;  ///< of a loop that repeats its steps: before and after a step
  };
  struct ValueRun {
    int output = -1;
    int fetch = -1;
    Tensor place;  ///< of a loop that repeats its steps
  };
  struct SequenceRun {
    LoopBody::Sequence sequence;
    Tensor place;
  };

  void find_needed_states(const RunContext& context);
  void find_read_inputs();
  void bind_captures(RunContext& context);
  void start_states(RunContext& context);
  void run_steps(RunContext& context);
  Tensor slice(RunContext& context, const LoopBody::Sequence& sequence, int64_t t) const;
  void step(RunContext& context, int64_t t, bool is_last);
  bool repeats(const RunContext& context) const;
  void set_places(const RunContext& context);
  void repeat_step(RunContext& context, int64_t t);
  void clear_frames_from(RunContext& context, int64_t begin);
  void finish_states(RunContext& context);

  std::shared_ptr<const LoopBody> body_;
  std::vector<StateRun> states_;
  std::vector<ValueRun> values_;
  std::vector<NodeId> moving_;
  std::vector<SequenceRun> sequences_;       ///< that the program reads
  std::vector<LoopBody::Capture> captures_;  ///< the same
  std::unique_ptr<Executor> executor_;
  RunOptions options_;
  Tensor steps_;       ///< 0, 1, 2, ...
  Tensor step_place_;  ///< of a loop that repeats its steps
  int stop_fetch_ = -1;
  Tensor stop_;              ///< bool scalar: what the last step said
  int64_t count_ = 0;        ///< steps that run at most
  bool needs_host_ = false;  ///< the run before did: it is in no recorded launch
};

}  // namespace wende::ops
