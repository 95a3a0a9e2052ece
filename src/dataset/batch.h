#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/config.h"
#include "dataset/dataset.h"

namespace wende {

/// One padded mini-batch. data[key]: batch-major [B,T,F] or [B,T] (sparse); padding is zero.
struct Batch {
  std::map<std::string, Tensor> data;
  std::map<std::string, std::vector<int32_t>> lengths;  ///< per key, [B]
  std::vector<std::string> tags;
  std::vector<int64_t> indices;  ///< position of each sequence in the epoch's order
  /// Per row: the pieces of sequences in it, as (identity within the epoch, first frame in the row).
  std::vector<std::vector<std::pair<uint64_t, int64_t>>> rows;
  int64_t number = 0;         ///< index of the batch in the epoch over all ranks
  double epoch_fraction = 0;  ///< share of the epoch's sequences after this batch; < 0 unknown

  int64_t size() const { return static_cast<int64_t>(tags.size()); }
};

/// How sequences become batches (semantics section 17).
struct BatchOptions {
  std::map<std::string, int64_t> batch_size;  ///< padded frames; "" = all keys
  int64_t max_seqs = -1;
  std::map<std::string, int64_t> max_seq_length, min_seq_length;  ///< "" = all keys
  std::map<std::string, int64_t> chunk_size, chunk_step;          ///< "" = all keys; empty = no chunking
  int64_t min_chunk_size = 0;
  int64_t max_pad_size = -1;
  bool frame_mode = false;        ///< non-recurrent nets: sequences concatenated into one row, cut at batch_size
  std::vector<std::string> keys;  ///< what to load; empty = all

  /// For a role ("train", "dev", "eval", "forward"): the config's options that RETURNN applies to it.
  static BatchOptions from_config(const Config& config, const std::string& role, bool recurrent_net);
};

/// Which (sequence, begin, end) pieces make up each batch; independent of any number. Same on all ranks.
struct BatchPlan {
  struct Piece {
    int64_t sequence;
    std::map<std::string, std::pair<int64_t, int64_t>> range;  ///< per key: [begin, end)
  };
  std::vector<std::vector<Piece>> batches;
};

BatchPlan plan_batches(const Dataset& dataset, const BatchOptions& options);

/// Batches of one epoch for one rank: batch i goes to rank i % ranks. A thread loads ahead. next() returns nothing at
/// the end.
class BatchLoader {
 public:
  BatchLoader(Dataset& dataset, BatchPlan plan, BatchOptions options, int rank, int ranks, int64_t first_batch = 0);
  ~BatchLoader();
  std::optional<Batch> next();  ///< rethrows the loading thread's errors
  bool ready();                 ///< next() would not wait
  int64_t batch_count() const;  ///< of this rank

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace wende
