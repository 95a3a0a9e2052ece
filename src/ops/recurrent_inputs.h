#pragma once

#include "graph/op.h"
#include "kernels/recurrent_schedule.h"

namespace wende::ops {

/// Hands out the inputs of an op in order; optional ones that are absent are undefined.
class InputCursor {
 public:
  explicit InputCursor(RunContext& context) : context_(context) {}
  Tensor next(bool present = true) { return present ? context_.input(index_++) : Tensor(); }

 private:
  RunContext& context_;
  int index_ = 0;
};

/// Undefined if nobody reads the output.
inline Tensor wanted_output(RunContext& context, int index) {
  return context.output_wanted(index) ? context.output(index) : Tensor();
}

inline cpu::Scratch scratch_of(RunContext& context) {
  return [&context](Shape shape) { return context.scratch(DType::kFloat32, shape); };
}

}  // namespace wende::ops
