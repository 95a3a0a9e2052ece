#include <fmt/core.h>
#include <gtest/gtest.h>

#include "dataset/batch.h"
#include "fake_dataset.h"

namespace wende {
namespace {

std::string plan_of(const BatchOptions& options, bool with_words,
                    std::vector<FakeDataset::Lengths> lengths = eleven_lengths()) {
  const FakeDataset dataset(std::move(lengths), with_words);
  std::string text;
  for (const auto& batch : plan_batches(dataset, options).batches) {
    if (!text.empty()) text += " |";
    for (const BatchPlan::Piece& piece : batch) {
      const auto& range = piece.range.at("data");
      text += fmt::format("{}{}:{}-{}", text.empty() ? "" : " ", piece.sequence, range.first, range.second);
    }
  }
  return text;
}

// The expected plans are those of RETURNN for the same lengths.
TEST(BatchPlanTest, BatchSizeAndMaxSeqs) {
  EXPECT_EQ(plan_of({.batch_size = {{"", 120}}, .max_seqs = 3}, true),
            "0:0-13 1:0-40 2:0-7 | 3:0-100 | 4:0-33 5:0-2 | 6:0-61 | 7:0-20 8:0-55 | 9:0-1 | 10:0-90");
  EXPECT_EQ(plan_of({.batch_size = {{"words", 8}}}, true),
            "0:0-13 1:0-40 2:0-7 | 3:0-100 | 4:0-33 5:0-2 | 6:0-61 7:0-20 | 8:0-55 | 9:0-1 | 10:0-90");
}

TEST(BatchPlanTest, MaxPadSize) {
  EXPECT_EQ(plan_of({.batch_size = {{"", 1000}}, .max_pad_size = 60}, false),
            "0:0-13 1:0-40 2:0-7 | 3:0-100 | 4:0-33 5:0-2 | 6:0-61 7:0-20 8:0-55 | 9:0-1 | 10:0-90");
}

TEST(BatchPlanTest, LengthLimits) {
  EXPECT_EQ(plan_of({.batch_size = {{"", 150}}, .max_seq_length = {{"words", 4}}, .min_seq_length = {{"", 2}}}, true),
            "1:0-40 4:0-33 | 6:0-61 7:0-20");
  EXPECT_EQ(plan_of({.batch_size = {{"", 150}}, .max_seq_length = {{"classes", 60}}}, true),
            "0:0-13 1:0-40 2:0-7 | 4:0-33 5:0-2 7:0-20 | 8:0-55 9:0-1");
}

TEST(BatchPlanTest, Chunks) {
  BatchOptions options{.batch_size = {{"", 60}}, .max_seqs = 4};
  options.chunk_size = {{"", 20}};
  options.chunk_step = {{"", 15}};
  EXPECT_EQ(plan_of(options, false),
            "0:0-13 1:0-20 1:15-35 | 1:30-40 2:0-7 3:0-20 | 3:15-35 3:30-50 3:45-65 | 3:60-80 3:75-95 3:90-100 | "
            "4:0-20 4:15-33 4:30-33 | 5:0-2 6:0-20 6:15-35 | 6:30-50 6:45-61 6:60-61 | 7:0-20 7:15-20 8:0-20 | "
            "8:15-35 8:30-50 8:45-55 | 9:0-1 10:0-20 10:15-35 | 10:30-50 10:45-65 10:60-80 | 10:75-90");
  options.max_seqs = -1;
  options.min_chunk_size = 5;
  EXPECT_EQ(plan_of(options, false),
            "0:0-13 1:0-20 1:15-35 | 1:30-40 2:0-7 3:0-20 | 3:15-35 3:30-50 3:45-65 | 3:60-80 3:75-95 3:90-100 | "
            "4:0-20 4:15-33 5:0-2 | 6:0-20 6:15-35 6:30-50 | 6:45-61 7:0-20 8:0-20 | 8:15-35 8:30-50 8:45-55 | "
            "9:0-1 10:0-20 10:15-35 | 10:30-50 10:45-65 10:60-80 | 10:75-90");
}

TEST(BatchPlanTest, ChunksOfKeysWithOtherLengths) {
  BatchOptions options{.batch_size = {{"", 60}}};
  options.chunk_size = {{"", 20}};
  options.chunk_step = {{"", 15}};
  EXPECT_THROW(plan_of(options, true), Error);
  options.keys = {"classes", "data"};  // "words" is not used, so its length does not matter
  EXPECT_EQ(plan_of(options, true).substr(0, 24), "0:0-13 1:0-20 1:15-35 | ");
  // A key of one frame ends the sequence after its first chunk, as in RETURNN.
  options.keys = {};
  std::vector<FakeDataset::Lengths> lengths = eleven_lengths();
  for (auto& length : lengths) length.words = 1;
  EXPECT_EQ(plan_of(options, true, lengths),
            "0:0-13 1:0-20 2:0-7 | 3:0-20 4:0-20 5:0-2 | 6:0-20 7:0-20 8:0-20 | 9:0-1 10:0-20");
}

TEST(BatchPlanTest, FrameModeCutsOneRow) {
  BatchOptions options{.batch_size = {{"", 60}}, .max_seqs = 3, .frame_mode = true};
  options.chunk_size = {{"", 20}};
  options.chunk_step = {{"", 15}};
  EXPECT_EQ(plan_of(options, false),
            "0:0-13 1:0-40 2:0-7 | 3:0-60 | 3:60-100 4:0-20 | 4:20-33 5:0-2 6:0-45 | 6:45-61 7:0-20 8:0-24 | "
            "8:24-55 9:0-1 10:0-28 | 10:28-88 | 10:88-90");
}

}  // namespace
}  // namespace wende
