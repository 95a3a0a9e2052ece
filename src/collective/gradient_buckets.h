#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "collective/communicator.h"

namespace wende {

/// Sums ranges of one flat gradient buffer over the ranks while backward still runs. Parameters lie in the buffer in
/// the order in which backward finishes them; a bucket is a range and is sent when its last parameter is ready.
class GradientBuckets {
 public:
  /// offsets[i], counts[i]: range of parameter i, ascending; gaps between them hold zeros. `extra` floats right behind
  /// the last one (statistics, have-data bit) ride with the last bucket, which is sent by finish().
  GradientBuckets(AsyncSums& sums, float* buffer, std::vector<size_t> offsets, std::vector<size_t> counts, size_t extra,
                  size_t bucket_bytes = 4u << 20);
  void begin_step();
  void ready(size_t param);  ///< its gradient is written
  void finish();             ///< sends what is left, waits for all
  size_t bucket_count() const { return buckets_.size(); }

 private:
  struct Bucket {
    size_t begin, end;  ///< in floats
    size_t params;      ///< how many parameters it holds
    size_t missing;
    std::unique_ptr<PendingSum> pending;
    bool sent;
  };
  template <class F>
  void named(size_t bucket, F f) const;

  AsyncSums& sums_;
  float* buffer_;
  std::vector<Bucket> buckets_;
  std::vector<size_t> bucket_of_;
};

}  // namespace wende
