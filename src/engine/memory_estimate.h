#pragma once

#include <set>
#include <string>
#include <vector>

#include "engine/network_runner.h"

namespace wende {

/// Bytes of a training step, from sizes alone.
struct StepMemory {
  int64_t sequences = 0;
  int64_t frames = 0;    ///< per sequence
  size_t state = 0;      ///< parameters, gradients, the optimiser's numbers
  size_t values = 0;     ///< planned for the network's values
  size_t working = 0;    ///< of single operations: taken as the largest value, and a quarter more
  size_t batches = 0;    ///< of the batch in use and those loaded ahead
  size_t products = 0;   ///< of the library of matrix products, on a GPU
  size_t recurrent = 0;  ///< kept by cuDNN's layers, on a GPU
  size_t total() const { return state + values + working + batches + products + recurrent; }
};

/// What is known of training before it runs.
struct TrainingEstimate {
  std::vector<StepMemory> steps;
  std::set<std::string> host_operations;  ///< for a GPU: operations without kernels, which run on copies on the host
};

/// The steps that need most for the config's batch_size, max_seqs, max_seq_length and chunking: few long sequences, and
/// many short ones. All sequences are equally long and all data keys have the frames of the first. Not in it:
/// what a loop's steps take by themselves.
TrainingEstimate estimate_training(const Config& config, NetworkWithGradients& training, bool gpu);

/// "1.9 MB for a step with 40 sequences of 125 frames: 0.1 for ..."
std::string memory_estimate_text(const StepMemory& memory);

}  // namespace wende
