#pragma once

#include "graph/binding.h"
#include "graph/executor.h"
#include "kernels/dropout.h"
#include "tensor/tensor.h"

namespace wende {

/// What random numbers of a run go by, in memory of a GPU: the step and the identities of the batch's sequences. It
/// stays where it is from run to run, so that recorded launches find there what is new.
class RunNumbers {
 public:
  /// Of the next run; rows: those of the binding. Returns its options with these numbers; on the CPU nothing changes.
  const RunOptions& put(const RunOptions& options, const Binding& binding, Device device);
  const cpu::RandomRun& random() const { return random_; }
  Tensor step() const { return memory_.sliced(0, 0, 1); }  ///< int64 [1]

 private:
  RunOptions options_;
  Tensor memory_;  ///< int64: the step, begins [rows + 1], pieces
  cpu::RandomRun random_;
};

}  // namespace wende
