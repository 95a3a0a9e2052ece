#include "base/random_state.h"

#include <gtest/gtest.h>

namespace wende {
namespace {

// Numbers made by numpy.random.RandomState.
TEST(RandomStateTest, SeedOfOneNumber) {
  RandomState random(42);
  std::vector<uint32_t> words;
  for (int i = 0; i < 4; ++i) words.push_back(random.next());
  EXPECT_EQ(words, (std::vector<uint32_t>{1608637542, 3421126067, 4083286876, 787846414}));
  std::vector<int64_t> numbers;
  for (int i = 0; i < 8; ++i) numbers.push_back(random.randint(3, 17));
  EXPECT_EQ(numbers, (std::vector<int64_t>{13, 10, 15, 7, 9, 12, 5, 9}));
  EXPECT_EQ(random.random_sample(), 0.05808361216819946);
  EXPECT_EQ(random.random_sample(), 0.8661761457749352);
  EXPECT_EQ(random.random_sample(), 0.6011150117432088);
  EXPECT_EQ(random.permutation(12), (std::vector<int64_t>{8, 10, 0, 6, 11, 9, 3, 1, 4, 5, 2, 7}));
}

TEST(RandomStateTest, SeedOfSeveralNumbers) {
  RandomState random(std::vector<uint32_t>{1, 5});
  std::vector<int64_t> numbers;
  for (int i = 0; i < 6; ++i) numbers.push_back(random.randint(0, 1000));
  EXPECT_EQ(numbers, (std::vector<int64_t>{730, 98, 144, 494, 68, 193}));
  EXPECT_EQ(random.random_sample(), 0.11188082728781978);
}

TEST(RandomStateTest, LargestSeedAndShuffle) {
  RandomState random(0xffffffffU);
  std::vector<int64_t> numbers;
  for (int i = 0; i < 6; ++i) numbers.push_back(random.randint(0, 1000));
  EXPECT_EQ(numbers, (std::vector<int64_t>{419, 290, 12, 71, 948, 576}));
  std::vector<int64_t> items = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  RandomState(3).shuffle(items);
  EXPECT_EQ(items, (std::vector<int64_t>{5, 4, 1, 2, 9, 6, 7, 0, 3, 8}));
}

}  // namespace
}  // namespace wende
