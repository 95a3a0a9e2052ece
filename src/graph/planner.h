#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace wende {

/// A piece of memory that a plan needs from step `begin` to step `end` (inclusive).
struct Lifetime {
  size_t bytes = 0;
  int begin = 0;
  int end = 0;
};

/// Offsets into one arena, 64-byte aligned; pieces that live at the same time do not overlap.
struct ArenaPlan {
  std::vector<size_t> offsets;  ///< by piece
  size_t bytes = 0;
};

/// Best fit over the free blocks in order of `begin` (lifetimes must be sorted by it). Linear in practice: plans are
/// made anew for each combination of sizes, so planning has to be cheap beside a step.
ArenaPlan plan_arena(const std::vector<Lifetime>& lifetimes);

}  // namespace wende
