#include "dataset/seq_order.h"

#include <gtest/gtest.h>

namespace wende {
namespace {

struct Case {
  const char* ordering;
  int64_t partition_epoch, repeat_epoch, offset, fixed_seed;
  int epoch;
  std::vector<int64_t> order;
};

int64_t length_of(int64_t i) { return (i * i * 7 + 3) % 11 + 1; }

SeqOrderOptions options_of(const Case& c) {
  SeqOrderOptions options;
  options.seq_ordering = Value::of(c.ordering);
  options.partition_epoch = c.partition_epoch;
  options.repeat_epoch = c.repeat_epoch;
  options.random_seed_offset = c.offset;
  if (c.fixed_seed >= 0) options.fixed_random_seed = c.fixed_seed;
  return options;
}

std::vector<int64_t> order_of(const SeqOrderOptions& options, int epoch) {
  return order_sequences(options, epoch, 23, length_of, [](int64_t i) { return "seq-" + std::to_string(i % 20); });
}

// RETURNN's orders of 23 sequences with these lengths: ordering, partition_epoch, repeat_epoch, random_seed_offset,
// fixed_random_seed (-1: none), epoch.
const Case kCases[] = {
    {"default", 1, 1, 0, -1, 1, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22}},
    {"default_every_n:4", 1, 1, 0, -1, 1, {0, 5, 10, 15, 1, 6, 11, 16, 2, 7, 12, 17, 3, 8, 13, 18, 4, 9, 14, 19}},
    {"reverse", 1, 1, 0, -1, 1, {22, 21, 20, 19, 18, 17, 16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0}},
    {"sorted", 1, 1, 0, -1, 1, {3, 8, 14, 19, 5, 6, 16, 17, 0, 11, 22, 4, 7, 15, 18, 2, 9, 13, 20, 1, 10, 12, 21}},
    {"sorted_reverse", 1, 1, 0, -1, 1, {1, 10, 12, 21, 2, 9,  13, 20, 4, 7,  15, 18,
                                        0, 11, 22, 5,  6, 16, 17, 3,  8, 14, 19}},
    {"random", 1, 1, 0, -1, 1, {20, 17, 3, 13, 19, 16, 10, 4, 2, 18, 6, 7, 1, 14, 0, 15, 22, 21, 9, 8, 12, 11, 5}},
    {"random", 1, 1, 0, -1, 5, {19, 2, 18, 17, 20, 22, 13, 10, 5, 1, 21, 12, 0, 11, 7, 4, 8, 9, 16, 6, 15, 14, 3}},
    {"random:3", 1, 1, 0, -1, 1, {20, 17, 3, 13, 19, 16, 10, 4, 2, 18, 6, 7, 1, 14, 0, 15, 22, 21, 9, 8, 12, 11, 5}},
    {"random:3", 1, 1, 0, -1, 5, {20, 0, 21, 6, 14, 16, 3, 12, 9, 4, 10, 5, 17, 1, 2, 7, 19, 18, 11, 22, 13, 15, 8}},
    {"random_sample", 1, 1, 0, -1, 1, {5, 11, 12, 8,  9,  11, 5,  15, 0,  16, 1, 12,
                                       7, 13, 6,  18, 20, 5,  18, 20, 11, 10, 14}},
    {"random_sample", 1, 1, 0, -1, 5, {3, 14, 15, 6,  22, 16, 9,  8,  4,  7,  16, 16,
                                       7, 12, 15, 17, 21, 7,  16, 12, 13, 11, 1}},
    {"sort_bin_shuffle", 1, 1, 0, -1, 1, {4, 18, 7,  15, 20, 13, 2, 9, 10, 1,  21, 12,
                                          3, 19, 14, 8,  17, 16, 6, 5, 0,  22, 11}},
    {"sort_bin_shuffle", 1, 1, 0, -1, 5, {18, 7, 4,  15, 2,  20, 13, 9, 10, 1, 21, 12,
                                          19, 8, 14, 3,  17, 5,  16, 6, 22, 0, 11}},
    {"sort_bin_shuffle:3", 1, 1, 0, -1, 1, {20, 13, 2, 9,  10, 1,  21, 12, 5,  0,  22, 11,
                                            4,  18, 7, 15, 3,  19, 14, 8,  17, 16, 6}},
    {"sort_bin_shuffle:3", 1, 1, 0, -1, 5, {6,  22, 0,  11, 18, 7,  4, 15, 19, 8,  14, 3,
                                            17, 5,  16, 2,  20, 13, 9, 10, 1,  21, 12}},
    {"sort_bin_shuffle:.5", 1, 1, 0, -1, 1, {4,  18, 7, 15, 20, 13, 2, 9,  10, 1, 21, 12,
                                             16, 6,  5, 0,  22, 11, 3, 19, 14, 8, 17}},
    {"sort_bin_shuffle:.5", 1, 1, 0, -1, 5, {5,  16, 6,  22, 0,  11, 13, 9, 10, 1, 21, 12,
                                             19, 8,  14, 3,  17, 18, 7,  4, 15, 2, 20}},
    {"sort_bin_shuffle_x2:4", 1, 1, 0, -1, 1, {4, 13, 18, 15, 20, 7, 10, 12, 1,  21, 9, 2,
                                               5, 22, 0,  16, 11, 6, 8,  14, 19, 17, 3}},
    {"sort_bin_shuffle_x2:4", 1, 1, 0, -1, 5, {5, 22, 16, 0, 6,  11, 13, 1,  12, 21, 9, 10,
                                               8, 17, 19, 3, 14, 7,  2,  15, 18, 4,  20}},
    {"laplace", 1, 1, 0, -1, 1, {3, 19, 17, 16, 6, 4, 18, 20, 13, 2, 10, 1, 21, 12, 9, 7, 15, 0, 22, 11, 5, 14, 8}},
    {"laplace", 1, 1, 0, -1, 5, {19, 17, 5, 22, 18, 2, 20, 13, 10, 1, 21, 12, 9, 7, 4, 15, 0, 11, 16, 6, 8, 14, 3}},
    {"laplace:3", 1, 1, 0, -1, 1, {3, 19, 17, 16, 20, 13, 10, 1, 2, 4, 18, 7, 0, 6, 14, 8, 5, 22, 11, 15, 9, 21, 12}},
    {"laplace:3", 1, 1, 0, -1, 5, {19, 17, 22, 18, 2, 20, 13, 10, 1, 21, 12, 7, 0, 11, 5, 8, 14, 3, 16, 6, 4, 15, 9}},
    {"laplace:.5", 1, 1, 0, -1, 1, {3, 19, 17, 20, 13, 10, 2, 4, 18, 16, 6, 14, 0, 22, 7, 15, 1, 21, 12, 9, 11, 5, 8}},
    {"laplace:.5", 1, 1, 0, -1, 5, {19, 17, 18, 2, 20, 10, 1, 21, 13, 22, 5, 8, 0, 11, 7, 4, 12, 9, 15, 16, 6, 14, 3}},
    {"laplace:.4:2", 1, 1, 0, -1, 1, {3, 17, 20, 13, 10, 2,  4, 16, 19, 6, 18, 7,
                                      1, 21, 15, 0,  22, 14, 8, 5,  11, 9, 12}},
    {"laplace:.4:2", 1, 1, 0, -1, 5, {17, 15, 21, 12, 1,  2, 20, 16, 14, 19, 6, 4,
                                      13, 9,  7,  18, 11, 5, 8,  3,  22, 0,  10}},
    {"random", 3, 1, 0, -1, 1, {20, 17, 3, 13, 19, 16, 10, 4}},
    {"random", 3, 1, 0, -1, 5, {9, 4, 10, 5, 17, 1, 2, 7}},
    {"laplace:.5", 4, 1, 0, -1, 1, {3, 19, 17, 20, 13, 10}},
    {"laplace:.5", 4, 1, 0, -1, 5, {14, 6, 0, 20, 21, 12}},
    {"random", 1, 1, 100, -1, 1, {14, 10, 20, 21, 7, 19, 2, 3, 1, 16, 12, 0, 5, 18, 4, 8, 13, 9, 15, 22, 6, 17, 11}},
    {"random", 1, 1, 100, -1, 5, {2, 11, 15, 5, 7, 12, 8, 14, 3, 10, 20, 6, 1, 13, 16, 17, 19, 18, 22, 4, 9, 21, 0}},
    {"random", 1, 1, 0, 7, 1, {1, 5, 2, 22, 20, 12, 11, 0, 21, 6, 18, 16, 13, 10, 17, 9, 8, 14, 7, 19, 3, 4, 15}},
    {"random", 1, 1, 0, 7, 5, {1, 5, 2, 22, 20, 12, 11, 0, 21, 6, 18, 16, 13, 10, 17, 9, 8, 14, 7, 19, 3, 4, 15}},
    {"sorted", 1, 2, 0, -1, 1, {3, 8, 14, 19, 5, 6, 16, 17, 0, 11, 22, 4, 7, 15, 18, 2, 9, 13, 20, 1, 10, 12, 21,
                                3, 8, 14, 19, 5, 6, 16, 17, 0, 11, 22, 4, 7, 15, 18, 2, 9, 13, 20, 1, 10, 12, 21}},
    {"sorted", 1, 2, 0, -1, 5, {3, 8, 14, 19, 5, 6, 16, 17, 0, 11, 22, 4, 7, 15, 18, 2, 9, 13, 20, 1, 10, 12, 21,
                                3, 8, 14, 19, 5, 6, 16, 17, 0, 11, 22, 4, 7, 15, 18, 2, 9, 13, 20, 1, 10, 12, 21}},
};

TEST(SeqOrderTest, OrdersOfReturnn) {
  for (const Case& c : kCases) {
    EXPECT_EQ(order_of(options_of(c), c.epoch), c.order) << c.ordering << " epoch " << c.epoch;
  }
}

TEST(SeqOrderTest, PartsOfAFullEpochAreDisjointAndComplete) {
  SeqOrderOptions options;
  options.seq_ordering = Value::of("random");
  options.partition_epoch = 4;
  std::set<int64_t> seen;
  for (int epoch = 5; epoch <= 8; ++epoch) {
    const std::vector<int64_t> part = order_of(options, epoch);
    EXPECT_EQ(part.size(), epoch < 8 ? 6U : 5U);
    seen.insert(part.begin(), part.end());
  }
  EXPECT_EQ(seen.size(), 23U);
}

TEST(SeqOrderTest, TagsCanBeUniqueAndFiltered) {
  SeqOrderOptions options;
  options.unique_seq_tags = true;
  EXPECT_EQ(order_of(options, 1).size(), 20U);
  options.tag_filter = {"seq-3", "seq-11"};
  EXPECT_EQ(order_of(options, 1), (std::vector<int64_t>{3, 11}));
  options.tag_filter = {"other"};
  EXPECT_THROW(order_of(options, 1), Error);
}

TEST(SeqOrderTest, UnknownOrderingIsRefused) {
  for (const char* wrong : {"randon", "laplace:x", "sorted:3", "default_every_n", ""}) {
    SeqOrderOptions options;
    options.seq_ordering = Value::of(wrong);
    EXPECT_THROW(order_of(options, 1), Error) << wrong;
  }
}

}  // namespace
}  // namespace wende
