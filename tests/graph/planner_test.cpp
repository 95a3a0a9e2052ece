#include "graph/planner.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace wende {
namespace {

/// The least memory that any plan of these pieces needs: what lives at the busiest step.
size_t most_alive(const std::vector<Lifetime>& pieces) {
  size_t most = 0;
  for (const Lifetime& at : pieces) {
    size_t alive = 0;
    for (const Lifetime& piece : pieces) {
      if (piece.begin <= at.begin && at.begin <= piece.end) alive += (piece.bytes + 63) / 64 * 64;
    }
    most = std::max(most, alive);
  }
  return most;
}

void expect_sound(const std::vector<Lifetime>& pieces, const ArenaPlan& plan) {
  ASSERT_EQ(plan.offsets.size(), pieces.size());
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_EQ(plan.offsets[i] % 64, 0u);
    if (pieces[i].bytes > 0) {
      EXPECT_LE(plan.offsets[i] + pieces[i].bytes, plan.bytes);
    }
    for (size_t j = 0; j < i; ++j) {
      const bool together = pieces[i].begin <= pieces[j].end && pieces[j].begin <= pieces[i].end;
      const bool overlap =
          plan.offsets[i] < plan.offsets[j] + pieces[j].bytes && plan.offsets[j] < plan.offsets[i] + pieces[i].bytes;
      EXPECT_FALSE(together && overlap) << "pieces " << j << " and " << i;
    }
  }
}

TEST(Planner, LivePiecesNeverOverlap) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<Lifetime> pieces;
    int begin = 0;
    const int count = std::uniform_int_distribution<int>(0, 60)(random);
    for (int i = 0; i < count; ++i) {
      begin += std::uniform_int_distribution<int>(0, 2)(random);
      const int length = std::uniform_int_distribution<int>(0, 12)(random);
      const size_t bytes = std::uniform_int_distribution<size_t>(0, 5000)(random);
      pieces.push_back({bytes, begin, begin + length});
    }
    const ArenaPlan plan = plan_arena(pieces);
    SCOPED_TRACE(round);
    expect_sound(pieces, plan);
    EXPECT_GE(plan.bytes, most_alive(pieces));
    EXPECT_LE(plan.bytes, 2 * most_alive(pieces) + 64) << "best fit wastes more than it should";
  }
}

TEST(Planner, AChainNeedsTwoPieces) {
  std::vector<Lifetime> pieces;
  for (int i = 0; i < 20; ++i) pieces.push_back({1000, i, i + 1});
  const ArenaPlan plan = plan_arena(pieces);
  expect_sound(pieces, plan);
  EXPECT_EQ(plan.bytes, 2u * 1024);
}

TEST(Planner, FreedNeighboursServeOneLargePiece) {
  const std::vector<Lifetime> pieces{{64, 0, 3}, {128, 0, 1}, {128, 0, 2}, {64, 0, 9}, {256, 4, 5}};
  const ArenaPlan plan = plan_arena(pieces);
  expect_sound(pieces, plan);
  EXPECT_EQ(plan.bytes, 384u);
}

TEST(Planner, TheSmallestBlockThatFitsIsTaken) {
  // A free block of 512 and one of 128: the piece of 128 must leave the large one to the piece of 512.
  const std::vector<Lifetime> pieces{{512, 0, 0}, {64, 0, 9}, {128, 0, 0}, {64, 0, 9}, {128, 1, 9}, {512, 1, 9}};
  const ArenaPlan plan = plan_arena(pieces);
  expect_sound(pieces, plan);
  EXPECT_EQ(plan.bytes, 768u);
}

TEST(Planner, NothingNeedsNothing) {
  EXPECT_EQ(plan_arena({}).bytes, 0u);
  EXPECT_EQ(plan_arena({{0, 0, 5}, {0, 1, 1}}).bytes, 0u);
}

}  // namespace
}  // namespace wende
