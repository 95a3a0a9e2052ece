#pragma once

#include <cstdint>
#include <vector>

#include "device/on_device.h"
#include "device/philox.h"
#include "tensor/tensor.h"

namespace wende::cpu {

/// What frames of one row of a batch belong to: from `offset` on to the sequence (or chunk) `id`. A row has one piece,
/// or several where sequences are concatenated.
struct RandomPiece {
  uint64_t id = 0;
  int64_t offset = 0;
};
using RandomRows = std::vector<std::vector<RandomPiece>>;

/// Where kernels of a GPU read what is new in each run, in its memory.
struct RandomRun {
  const int64_t* step = nullptr;
  const int64_t* begins = nullptr;  ///< [rows + 1]: first piece of each row
  const int64_t* pieces = nullptr;  ///< id, offset of each piece
  int64_t rows = 0;
};

/// How random elements are numbered, so that the number of an element depends on its sequence, its frame and its place
/// within the frame only: neither on padding nor on how sequences are spread over batches and ranks.
struct RandomLayout {
  enum class Axis : uint8_t { kBatch, kDynamic, kFixed };
  std::vector<Axis> axes;            ///< per axis of the output; empty: all kFixed
  const RandomRows* rows = nullptr;  ///< by index of the batch axis; nullptr: the index itself is the id
  const RandomRun* run = nullptr;    ///< on a GPU, instead of `rows`: the random numbers given are then those of step 0
  uint64_t blocks_per_step = 0;      ///< with `run`: of ops whose runs follow each other, else 0 (Philox::at_step)
  bool always_same = false;          ///< with `run`: the step does not count
};

/// 1/keep with probability keep, else 0.
void dropout_mask(const Philox& philox, double keep, const Tensor& out, const RandomLayout& layout = {});
void random_normal(const Philox& philox, double stddev, const Tensor& out, const RandomLayout& layout = {});
void random_uniform(const Philox& philox, double low, double high, const Tensor& out, const RandomLayout& layout = {});

}  // namespace wende::cpu

WENDE_CUDA_KERNEL(dropout_mask)
WENDE_CUDA_KERNEL(random_normal)
WENDE_CUDA_KERNEL(random_uniform)
