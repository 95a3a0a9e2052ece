#pragma once

#include <cstdint>
#include <vector>

#include "kernels/pointwise_function.h"

namespace wende {

/// Element-wise functions of float32, one after another, of which only the last one's result is kept: what lies between
/// them never reaches memory.
struct PointwiseChain {
  static constexpr int kMostInputs = 8;
  static constexpr int kMostSteps = 24;
  static constexpr int kMostRegisters = 8;
  static constexpr int8_t kResult = -1;

  /// Operands: 0, 1, ...: inputs; behind the last input: registers.
  struct Step {
    PointwiseFunction function;
    int8_t a = 0;
    int8_t b = 0;         ///< of a function of two
    int8_t to = kResult;  ///< a register, from 0; the last step's: the result
  };
  std::vector<Step> steps;
  int inputs = 0;

  /// The first `count` steps, with the last one's value as the result.
  PointwiseChain first(size_t count) const;
};

/// Whether chains can have it: all but rare functions.
bool chains_take(PointwiseFunction function);

}  // namespace wende

/// Inputs broadcast as in binary(); out is dense and may be one of the inputs of its shape. The numbers are those of
/// the functions one by one, to the bit on the CPU.
namespace wende::cpu {

void pointwise_chain(const PointwiseChain& chain, const std::vector<Tensor>& inputs, const Tensor& out);

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(pointwise_chain)
