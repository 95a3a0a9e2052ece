#include <gtest/gtest.h>

#include "dataset/batch.h"
#include "fake_dataset.h"

namespace wende {
namespace {

TEST(BatchLoaderTest, PadsWithZero) {
  FakeDataset dataset(eleven_lengths(), true);
  const BatchOptions options{.batch_size = {{"", 120}}, .max_seqs = 3, .keys = {"data", "words"}};
  BatchLoader loader(dataset, plan_batches(dataset, options), options, 0, 1);
  EXPECT_EQ(loader.batch_count(), 7);
  const Batch batch = loader.next().value();
  EXPECT_EQ(batch.tags, (std::vector<std::string>{"seq-0", "seq-1", "seq-2"}));
  EXPECT_EQ(batch.indices, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(batch.data.size(), 2U);
  EXPECT_EQ(batch.data.at("data").shape(), (Shape{3, 40, 3}));
  EXPECT_EQ(batch.data.at("words").to_vector<int32_t>(), (std::vector<int32_t>{1, 0, 2, 2, 3, 0}));
  EXPECT_EQ(batch.lengths.at("data"), (std::vector<int32_t>{13, 40, 7}));
  EXPECT_EQ(batch.lengths.at("words"), (std::vector<int32_t>{1, 2, 1}));
  const float* numbers = batch.data.at("data").data<float>();
  EXPECT_EQ(numbers[(1 * 40 + 39) * 3], 1039);
  EXPECT_EQ(numbers[(2 * 40 + 6) * 3], 2006);
  EXPECT_EQ(numbers[(2 * 40 + 7) * 3], 0);
  EXPECT_NEAR(batch.epoch_fraction, 3.0 / 11, 1e-12);
  int64_t last = 0;
  while (const auto next = loader.next()) last = next->number;
  EXPECT_EQ(last, 6);
  EXPECT_FALSE(loader.next().has_value());
}

TEST(BatchLoaderTest, RanksShareTheBatchesAndResumeInTheMiddle) {
  FakeDataset dataset(eleven_lengths(), false);
  const BatchOptions options{.batch_size = {{"", 120}}, .max_seqs = 3};
  const BatchPlan plan = plan_batches(dataset, options);
  auto numbers = [&](int rank, int ranks, int64_t first) {
    BatchLoader loader(dataset, plan, options, rank, ranks, first);
    std::vector<int64_t> seen;
    while (const auto batch = loader.next()) seen.push_back(batch->number);
    return seen;
  };
  EXPECT_EQ(numbers(0, 2, 0), (std::vector<int64_t>{0, 2, 4, 6}));
  EXPECT_EQ(numbers(1, 2, 0), (std::vector<int64_t>{1, 3, 5}));
  EXPECT_EQ(numbers(1, 2, 2), (std::vector<int64_t>{3, 5}));
}

TEST(BatchLoaderTest, FrameModeMakesOneRow) {
  FakeDataset dataset(eleven_lengths(), false);
  const BatchOptions options{.batch_size = {{"", 60}}, .frame_mode = true};
  BatchLoader loader(dataset, plan_batches(dataset, options), options, 0, 1);
  const Batch batch = loader.next().value();
  EXPECT_EQ(batch.data.at("data").shape(), (Shape{1, 60, 3}));
  EXPECT_EQ(batch.lengths.at("classes"), (std::vector<int32_t>{60}));
  EXPECT_EQ(batch.tags, (std::vector<std::string>{"seq-0;seq-1;seq-2"}));
  EXPECT_EQ(batch.size(), 1);
  const float* numbers = batch.data.at("data").data<float>();
  EXPECT_EQ(numbers[12 * 3], 12);
  EXPECT_EQ(numbers[13 * 3], 1000);
  EXPECT_EQ(numbers[59 * 3], 2006);
}

TEST(BatchLoaderTest, ErrorsComeOutOfNext) {
  FakeDataset dataset(eleven_lengths(), false);
  dataset.fail_at = 3;
  const BatchOptions options{.batch_size = {{"", 120}}, .max_seqs = 3};
  BatchLoader loader(dataset, plan_batches(dataset, options), options, 0, 1);
  EXPECT_TRUE(loader.next().has_value());
  EXPECT_THROW(loader.next(), Error);
}

TEST(BatchLoaderTest, CanBeDroppedEarly) {
  FakeDataset dataset(eleven_lengths(), false);
  const BatchOptions options{.batch_size = {{"", 1}}};
  BatchLoader loader(dataset, plan_batches(dataset, options), options, 0, 1);
  EXPECT_TRUE(loader.next().has_value());
}

}  // namespace
}  // namespace wende
