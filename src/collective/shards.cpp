#include "collective/shards.h"

#include <algorithm>

#include "collective/mpi_call.h"
#include "collective/mpi_world.h"

namespace wende {
namespace {

class MpiShardSum final : public PendingSum {
 public:
  void wait() override { requests.wait(); }
  bool done() override { return requests.done(); }
  MpiRequests requests;
};

class MpiShards final : public ShardedSums {
 public:
  MpiShards(Communicator& communicator, const float* gradients, size_t count)
      : ShardedSums(gradients, count, communicator.size()), rank_(communicator.rank()) {}

  std::unique_ptr<PendingSum> start_all_sum(float* values, size_t count) override {
    auto sum = std::make_unique<MpiShardSum>();
    for (const Piece& piece : pieces(values, count)) {
      for (size_t done = 0; done < piece.count; done += kMostMpiElements) {
        float* at = piece.begin + done;
        const int elements = static_cast<int>(std::min(kMostMpiElements, piece.count - done));
        const bool own = piece.owner == rank_;
        check_mpi(MPI_Ireduce(own ? MPI_IN_PLACE : at, own ? at : nullptr, elements, MPI_FLOAT, MPI_SUM, piece.owner,
                              world_.get(), sum->requests.add()),
                  "MPI_Ireduce");
      }
    }
    return sum;
  }

  void share(float* values) override {
    MpiRequests requests;
    for (size_t rank = 0; rank < ranges().size(); ++rank) {
      const ShardRange& range = ranges()[rank];
      for (size_t begin = range.begin; begin < range.end; begin += kMostMpiElements) {
        const int elements = static_cast<int>(std::min(kMostMpiElements, range.end - begin));
        check_mpi(MPI_Ibcast(values + begin, elements, MPI_FLOAT, static_cast<int>(rank), world_.get(), requests.add()),
                  "MPI_Ibcast");
      }
    }
    requests.wait();
  }

 private:
  int rank_;
  MpiWorld world_;
};

}  // namespace

ShardRange shard_range(size_t count, int ranks, int rank) {
  constexpr size_t kFloats = 16;
  const auto n = static_cast<size_t>(ranks);
  const size_t share = ((count + n - 1) / n + kFloats - 1) / kFloats * kFloats;
  const auto r = static_cast<size_t>(rank);
  return {std::min(r * share, count), std::min((r + 1) * share, count)};
}

ShardedSums::ShardedSums(const float* gradients, size_t count, int ranks) : gradients_(gradients) {
  for (int rank = 0; rank < ranks; ++rank) ranges_.push_back(shard_range(count, ranks, rank));
}

std::vector<ShardedSums::Piece> ShardedSums::pieces(float* values, size_t count) const {
  const auto first = static_cast<size_t>(values - gradients_);
  std::vector<Piece> pieces;
  for (size_t rank = 0; rank < ranges_.size(); ++rank) {
    const size_t begin = std::max(first, ranges_[rank].begin);
    const size_t end = std::min(first + count, ranges_[rank].end);
    if (begin < end) pieces.push_back({static_cast<int>(rank), values + (begin - first), end - begin});
  }
  return pieces;
}

std::unique_ptr<ShardedSums> host_shards(Communicator& communicator, const float* gradients, size_t count) {
  return std::make_unique<MpiShards>(communicator, gradients, count);
}

}  // namespace wende
