#include "collective/gradient_buckets.h"

#include <fmt/core.h>

#include <utility>

#include "base/error.h"

namespace wende {

GradientBuckets::GradientBuckets(AsyncSums& sums, float* buffer, std::vector<size_t> offsets,
                                 std::vector<size_t> counts, size_t extra, size_t bucket_bytes)
    : sums_(sums), buffer_(buffer) {
  if (offsets.size() != counts.size()) throw internal_error("gradient buckets: offsets and counts differ in length");
  size_t bucket_floats = bucket_bytes / sizeof(float);
  size_t end = offsets.empty() ? 0 : offsets.front();
  for (size_t param = 0; param < offsets.size(); ++param) {
    // Gaps (alignment) are sent with the parameter before them; they hold zeros.
    if (offsets[param] < end) {
      throw internal_error(
          fmt::format("gradient buckets: parameter {} starts at {}, before {}", param, offsets[param], end));
    }
    if (!buckets_.empty()) buckets_.back().end = offsets[param];
    end = offsets[param];
    bool full = !buckets_.empty() && buckets_.back().end - buckets_.back().begin >= bucket_floats;
    if (buckets_.empty() || full) buckets_.push_back({end, end, 0, 0, nullptr, false});
    end += counts[param];
    buckets_.back().end = end;
    buckets_.back().params += 1;
    bucket_of_.push_back(buckets_.size() - 1);
  }
  if (buckets_.empty()) buckets_.push_back({0, 0, 0, 0, nullptr, false});
  // One more "parameter" that only finish() makes ready: the extra floats ride with the last bucket.
  if (extra > 0) {
    buckets_.back().end += extra;
    buckets_.back().params += 1;
  }
  begin_step();
}

/// Errors say which sum it was.
template <class F>
void GradientBuckets::named(size_t bucket, F f) const {
  try {
    f();
  } catch (Error& error) {
    error.frame(fmt::format("in gradient bucket {} of {}, {} floats", bucket + 1, buckets_.size(),
                            buckets_[bucket].end - buckets_[bucket].begin));
    throw;
  }
}

void GradientBuckets::begin_step() {
  for (Bucket& bucket : buckets_) {
    if (bucket.pending) throw internal_error("gradient buckets: a step begins while a sum is under way");
    bucket.missing = bucket.params;
    bucket.sent = false;
  }
}

void GradientBuckets::ready(size_t param) {
  Bucket& bucket = buckets_.at(bucket_of_.at(param));
  if (bucket.missing == 0) throw internal_error(fmt::format("gradient buckets: parameter {} is ready twice", param));
  for (size_t i = 0; i < buckets_.size(); ++i) {
    PendingSum* pending = buckets_[i].pending.get();
    if (pending != nullptr) named(i, [pending] { pending->done(); });  // MPI moves sums on only while it is called
  }
  if (--bucket.missing > 0) return;
  // All ranks must start their sums in the same order, so a bucket waits for the ones before it.
  for (Bucket& next : buckets_) {
    if (next.sent) continue;
    if (next.missing > 0) return;
    next.sent = true;
    if (next.end > next.begin) next.pending = sums_.start_all_sum(buffer_ + next.begin, next.end - next.begin);
  }
}

void GradientBuckets::finish() {
  for (Bucket& bucket : buckets_) {
    if (bucket.sent) continue;
    bucket.missing = 0;
    bucket.sent = true;
    if (bucket.end > bucket.begin) {
      bucket.pending = sums_.start_all_sum(buffer_ + bucket.begin, bucket.end - bucket.begin);
    }
  }
  for (size_t i = 0; i < buckets_.size(); ++i) {
    PendingSum* pending = buckets_[i].pending.get();
    if (pending != nullptr) named(i, [pending] { pending->wait(); });
    buckets_[i].pending.reset();
  }
}

}  // namespace wende
