#pragma once

#include <memory>
#include <vector>

#include "collective/communicator.h"

namespace wende {

/// Part of a flat block of numbers.
struct ShardRange {
  size_t begin = 0;
  size_t end = 0;
  size_t size() const { return end - begin; }
  friend bool operator==(const ShardRange& a, const ShardRange& b) = default;
};
/// The part of `count` numbers that a rank owns: consecutive, about equal, at multiples of 64 bytes.
ShardRange shard_range(size_t count, int ranks, int rank);

/// Sums of ranges of a flat block of gradients that reach only the owners of the places; elsewhere the block holds no
/// sums. What the owners make of them is shared afterwards.
class ShardedSums : public AsyncSums {
 public:
  ShardedSums(const float* gradients, size_t count, int ranks);
  /// Each rank's range of a block like that of the gradients, to all ranks. Later work sees it; done in order with
  /// the sums.
  virtual void share(float* values) = 0;

 protected:
  struct Piece {
    int owner;
    float* begin;
    size_t count;
  };
  std::vector<Piece> pieces(float* values, size_t count) const;
  const std::vector<ShardRange>& ranges() const { return ranges_; }

 private:
  const float* gradients_;
  std::vector<ShardRange> ranges_;
};

/// By MPI, for memory of the host.
std::unique_ptr<ShardedSums> host_shards(Communicator& communicator, const float* gradients, size_t count);

}  // namespace wende
