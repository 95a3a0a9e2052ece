#include "graph/planner.h"

#include <algorithm>
#include <map>
#include <queue>

namespace wende {

namespace {

constexpr size_t kAlignment = 64;

size_t aligned(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

/// Free blocks by offset, with coalescing of neighbours.
class FreeBlocks {
 public:
  size_t take(size_t bytes) {
    auto best = blocks_.end();
    for (auto it = blocks_.begin(); it != blocks_.end(); ++it) {
      if (it->second >= bytes && (best == blocks_.end() || it->second < best->second)) {
        best = it;
      }
    }
    if (best == blocks_.end()) {
      return grow(bytes);
    }
    const auto [offset, size] = *best;
    blocks_.erase(best);
    if (size > bytes) {
      blocks_.emplace(offset + bytes, size - bytes);
    }
    return offset;
  }

  void give(size_t offset, size_t bytes) {
    auto [it, inserted] = blocks_.emplace(offset, bytes);
    if (const auto next = std::next(it); next != blocks_.end() && offset + it->second == next->first) {
      it->second += next->second;
      blocks_.erase(next);
    }
    if (it != blocks_.begin()) {
      if (const auto before = std::prev(it); before->first + before->second == it->first) {
        before->second += it->second;
        blocks_.erase(it);
      }
    }
  }

  size_t end() const { return end_; }

 private:
  /// At the end of the arena; a free block that touches the end is used first.
  size_t grow(size_t bytes) {
    if (!blocks_.empty()) {
      const auto last = std::prev(blocks_.end());
      if (last->first + last->second == end_) {
        const size_t offset = last->first;
        blocks_.erase(last);
        end_ = offset + bytes;
        return offset;
      }
    }
    end_ += bytes;
    return end_ - bytes;
  }

  std::map<size_t, size_t> blocks_;
  size_t end_ = 0;
};

}  // namespace

ArenaPlan plan_arena(const std::vector<Lifetime>& lifetimes) {
  using Ending = std::pair<int, size_t>;
  std::priority_queue<Ending, std::vector<Ending>, std::greater<>> live;
  FreeBlocks free;
  ArenaPlan plan;
  plan.offsets.resize(lifetimes.size());
  for (size_t i = 0; i < lifetimes.size(); ++i) {
    while (!live.empty() && live.top().first < lifetimes[i].begin) {
      const size_t done = live.top().second;
      live.pop();
      free.give(plan.offsets[done], aligned(lifetimes[done].bytes));
    }
    if (lifetimes[i].bytes == 0) {
      continue;
    }
    plan.offsets[i] = free.take(aligned(lifetimes[i].bytes));
    live.emplace(lifetimes[i].end, i);
  }
  plan.bytes = free.end();
  return plan;
}

}  // namespace wende
