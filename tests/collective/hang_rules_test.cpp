#include "collective/hang_rules.h"

#include <gtest/gtest.h>

namespace wende {
namespace {

constexpr double kLimit = 10;
constexpr double kLong = 100;

RankView working(int rank, double age) {
  return {.rank = rank,
          .kind = PhaseKind::kWork,
          .epoch = 1,
          .step = 6,
          .age = age,
          .phase = "compute",
          .layer = "lstm",
          .operation = "matmul"};
}

RankView waiting(int rank, double age) {
  return {.rank = rank, .kind = PhaseKind::kWait, .epoch = 1, .step = 6, .age = age, .phase = "allreduce"};
}

std::string blame(const std::vector<RankView>& ranks) { return find_hang(ranks, kLimit, kLong).message; }

TEST(HangRules, NothingIsWrongWithinTheLimit) {
  EXPECT_FALSE(find_hang({working(0, 9), waiting(1, 9)}, kLimit, kLong).found);
  EXPECT_FALSE(find_hang({}, kLimit, kLong).found);
}

TEST(HangRules, TheOneThatWorksForTooLongIsNamedAndNotThoseThatWait) {
  const std::string text = blame({waiting(0, 12), working(1, 12), waiting(2, 12)});
  EXPECT_EQ(text.find("hangs: rank 1: epoch 1 step 6, compute in layer 'lstm', operation 'matmul', 12.0 s"), 0u)
      << text;
  EXPECT_EQ(text.find("hangs", 5), std::string::npos) << "only one is to blame: " << text;
  EXPECT_NE(text.find("\n  rank 2: epoch 1 step 6, allreduce, 12.0 s"), std::string::npos) << "all are shown: " << text;
}

TEST(HangRules, WaitingIsNoHangWhileSomebodyWorks) {
  EXPECT_FALSE(find_hang({waiting(0, 500), working(1, 1)}, kLimit, kLong).found);
}

TEST(HangRules, AllWaitForEachOther) {
  EXPECT_EQ(blame({waiting(0, 12), waiting(1, 11)}).find("all ranks wait for each other"), 0u);
  EXPECT_FALSE(find_hang({waiting(0, 12), waiting(1, 3)}, kLimit, kLong).found) << "one has just begun to";
}

TEST(HangRules, ARankThatHasLeft) {
  RankView over = waiting(1, 50);
  over.kind = PhaseKind::kOver;
  EXPECT_EQ(blame({waiting(0, 12), over}).find("rank 1 has left while others wait for it"), 0u);
  EXPECT_FALSE(find_hang({over, over}, kLimit, kLong).found) << "all have ended";
}

TEST(HangRules, SilenceMeansStopped) {
  RankView silent = working(1, 0);
  silent.silent = 11;
  EXPECT_EQ(blame({waiting(0, 2), silent}).find("rank 1 gives no sign of life for 11.0 s"), 0u);
}

TEST(HangRules, StartUpAndCheckpointsHaveTheirOwnLimit) {
  RankView start = working(0, 50);
  start.kind = PhaseKind::kStartUp;
  start.phase = "dataset start";
  EXPECT_FALSE(find_hang({start}, kLimit, kLong).found);
  start.age = 101;
  EXPECT_EQ(blame({start}), "hangs: rank 0: epoch 1 step 6, dataset start, 101.0 s");
}

TEST(HangRules, NothingIsSaidOfRanksThatWereNeverHeardOf) {
  RankView unknown = working(1, 1000);
  unknown.known = false;
  EXPECT_FALSE(find_hang({working(0, 1), unknown}, kLimit, kLong).found);
}

}  // namespace
}  // namespace wende
