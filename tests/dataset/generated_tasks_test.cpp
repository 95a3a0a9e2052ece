#include <gtest/gtest.h>

#include "config_of.h"
#include "dataset/dataset.h"

namespace wende {
namespace {

Value of(int64_t number) { return Value::of(number); }

std::vector<int64_t> input_labels(const Tensor& data) {
  std::vector<int64_t> labels;
  if (data.dtype() == DType::kInt32) {
    for (int32_t label : data.to_vector<int32_t>()) labels.push_back(label);
    return labels;
  }
  for (int64_t t = 0; t < data.dim(0); ++t) {
    const float* row = data.data<float>() + t * data.dim(1);
    int64_t label = -1;
    for (int64_t i = 0; i < data.dim(1); ++i) {
      if (row[i] != 0) label = label < 0 ? i : 1000;
    }
    labels.push_back(label);
  }
  return labels;
}

/// A number that depends on every label and every length of an epoch, and all frames.
std::pair<int64_t, int64_t> digest(const std::vector<std::pair<std::string, Value>>& options, int epoch,
                                   const std::string& role = "train") {
  const auto dataset = make_dataset(dict_of(options), config_of({}), role);
  dataset->init_epoch(epoch);
  int64_t hash = 0;
  int64_t frames = 0;
  auto add = [&](int64_t value) { hash = (hash * 31 + value + 1) % 1000000007; };
  for (int64_t i = 0; i < dataset->sequence_count(); ++i) {
    const Sequence sequence = dataset->load(i);
    for (int64_t label : input_labels(sequence.data.at("data"))) add(label);
    add(99);
    for (int32_t label : sequence.data.at("classes").to_vector<int32_t>()) add(label);
    EXPECT_EQ(dataset->length(i, "data"), sequence.data.at("data").dim(0));
    frames += sequence.data.at("data").dim(0);
  }
  return {hash, frames};
}

using Digest = std::pair<int64_t, int64_t>;

// Digests and first sequences come from RETURNN's datasets.
TEST(GeneratedTasksTest, Task12AX) {
  const Value cls = Value::of("Task12AXDataset");
  EXPECT_EQ(digest({{"class", cls}, {"num_seqs", of(1000)}}, 2), (Digest{128263844, 55153}));
  EXPECT_EQ(digest({{"class", cls}, {"num_seqs", of(100)}, {"fixed_random_seed", of(1)}}, 3, "dev"),
            (Digest{375303550, 5507}));
  EXPECT_EQ(
      digest({{"class", cls}, {"num_seqs", of(100)}, {"seq_ordering", Value::of("random")}, {"partition_epoch", of(2)}},
             3),
      (Digest{465260, 2784}));
}

TEST(GeneratedTasksTest, FirstSequenceOf12AX) {
  const auto dataset =
      make_dataset(dict_of({{"class", Value::of("Task12AXDataset")}, {"num_seqs", of(1000)}}), config_of({}), "train");
  dataset->init_epoch(1);
  EXPECT_EQ(dataset->tag(1), "seq-1");
  const Sequence sequence = dataset->load(1);
  EXPECT_EQ(input_labels(sequence.data.at("data")),
            (std::vector<int64_t>{3, 6, 6, 2, 7, 0, 4, 7, 6, 4, 7, 7, 6, 0, 4}));
  EXPECT_EQ(dataset->keys().at("data").dim, 9);
  EXPECT_EQ(dataset->keys().at("classes").dim, 2);
  EXPECT_TRUE(dataset->keys().at("classes").sparse);
}

TEST(GeneratedTasksTest, OtherTasks) {
  EXPECT_EQ(digest({{"class", Value::of("TaskEpisodicCopyDataset")}, {"num_seqs", of(50)}}, 1),
            (Digest{592061694, 3214}));
  EXPECT_EQ(digest({{"class", Value::of("TaskXmlModelingDataset")}, {"num_seqs", of(50)}}, 1),
            (Digest{368450052, 2455}));
  EXPECT_EQ(digest({{"class", Value::of("CopyTaskDataset")},
                    {"num_seqs", of(50)},
                    {"nsymbols", of(10)},
                    {"minlen", of(3)},
                    {"maxlen", of(8)},
                    {"maxlen_epoch_factor", Value::of(0.5)}},
                   2),
            (Digest{58635371, 307}));
}

TEST(GeneratedTasksTest, Dummy) {
  const auto dataset = make_dataset(dict_of({{"class", Value::of("DummyDataset")},
                                             {"num_seqs", of(5)},
                                             {"input_dim", of(3)},
                                             {"output_dim", of(4)},
                                             {"seq_len", of(2)}}),
                                    config_of({}), "train");
  dataset->init_epoch(1);
  const Sequence sequence = dataset->load(4);
  const std::vector<float> expected = {-0.1F, 0.0F, 0.1F, 0.2F, 0.3F, 0.4F};
  const std::vector<float> data = sequence.data.at("data").to_vector<float>();
  ASSERT_EQ(data.size(), expected.size());
  for (size_t i = 0; i < data.size(); ++i) EXPECT_NEAR(data[i], expected[i], 1e-7);
  EXPECT_EQ(sequence.data.at("classes").to_vector<int32_t>(), (std::vector<int32_t>{2, 3}));
}

}  // namespace
}  // namespace wende
