#pragma once

#include <vector>

#include "tensor/tensor.h"

/// gradients_cuda.cu, or no_cuda_update.cpp in builds without CUDA: what happens to gradients on a GPU before the
/// update. Members are the parameters that have a gradient in this step.
namespace wende::cuda {

/// In device memory. pieces [n,3] of int64: first weight, number of weights, member; those of a member are neighbours.
/// firsts [members + 1] of int64: the first piece of each member.
struct GradientPieces {
  Tensor pieces;
  Tensor firsts;
};

constexpr int32_t kStartsSum = 1;
constexpr int32_t kAddsToSum = 2;

/// Of one member; 0 = off.
struct GradientSettings {
  float noise = 0;
  float clip = 0;
  float keep = 1;           ///< factor of the weights
  int32_t accumulates = 0;  ///< the gradients of several steps: kStartsSum, kAddsToSum
  uint32_t param = 0;       ///< index, so that each parameter has its own noise
};

struct GradientStep {
  uint64_t seed = 0;  ///< of the noise
  uint64_t step = 0;
};

/// What follows for one member.
struct GradientScale {
  float factor = 1;
  int32_t filters = 0;  ///< zero instead of nan and inf
  int32_t clears = 0;
};

/// All flat, float32. Adds gradients to the sums of members that accumulate, and from there or from the gradients, with
/// noise and clipped by value, writes results (which may be the gradients). Weights are multiplied by `keep`.
struct FlatGradients {
  Tensor values, gradients, sums, results;  ///< sums: undefined if no member accumulates
};
void prepare_gradients(const GradientPieces& pieces, const std::vector<GradientSettings>& settings,
                       const GradientStep& step, const FlatGradients& flat);

void scale_gradients(const GradientPieces& pieces, const std::vector<GradientScale>& scales, const Tensor& gradients);

/// One number per member, each by a fixed tree. Waits.
std::vector<double> squares_of_members(const GradientPieces& pieces, const Tensor& gradients);

}  // namespace wende::cuda
