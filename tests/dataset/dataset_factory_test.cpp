#include <gtest/gtest.h>

#include "config_of.h"
#include "dataset/dataset.h"

namespace wende {
namespace {

std::string message_of(const Value& options, ExitStatus status = ExitStatus::kConfig) {
  try {
    make_dataset(options, config_of({}), "train");
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), status);
    return error.what();
  }
  return "no error";
}

TEST(DatasetFactoryTest, ClassNames) {
  const Value count = Value::of(int64_t{3});
  EXPECT_NE(message_of(dict_of({{"class", Value::of("Task12AXDatasett")}})).find("did you mean 'Task12AXDataset'"),
            std::string::npos);
  EXPECT_NE(message_of(dict_of({{"class", Value::of("ExternSprintDataset")}})).find("not supported"),
            std::string::npos);
  EXPECT_NE(message_of(dict_of({{"num_seqs", count}})).find("needs \"class\""), std::string::npos);
  EXPECT_NE(message_of(Value::of(int64_t{3})).find("must be a dict"), std::string::npos);
}

TEST(DatasetFactoryTest, Options) {
  const Value cls = Value::of("Task12AXDataset");
  const Value count = Value::of(int64_t{3});
  EXPECT_NE(message_of(dict_of({{"class", cls}, {"num_seq", count}})).find("did you mean 'num_seqs'"),
            std::string::npos);
  EXPECT_NE(message_of(dict_of({{"class", cls}, {"num_seqs", count}, {"window", count}})).find("'window'"),
            std::string::npos);
  EXPECT_EQ(message_of(dict_of({{"class", cls}, {"num_seqs", count}, {"window", Value::of(int64_t{1})}})), "no error");
  EXPECT_NE(message_of(dict_of({{"class", cls}})).find("num_seqs"), std::string::npos);
}

TEST(DatasetFactoryTest, AbsentFile) {
  EXPECT_NE(message_of(Value::of("absent.hdf"), ExitStatus::kMissingInput).find("absent.hdf"), std::string::npos);
  EXPECT_NE(message_of(Value::of("absent.*.hdf"), ExitStatus::kMissingInput).find("no file matches"),
            std::string::npos);
}

/// Frames in the first four sequences of a dataset with the lengths 2, 4, 3, 1.
std::vector<int64_t> lengths_in_order(const std::string& role, const Config& config, const Value* ordering) {
  std::vector<Value> sequences;
  for (int64_t length : {2, 4, 3, 1}) {
    const std::vector<Value> labels(static_cast<size_t>(length), Value::of(int64_t{0}));
    sequences.push_back(dict_of({{"data", Value::list(labels)}}));
  }
  Value options = dict_of({{"class", Value::of("StaticDataset")}, {"data", Value::list(sequences)}});
  if (ordering != nullptr) options = options.with("seq_ordering", *ordering);
  const auto dataset = make_dataset(options, config, role);
  dataset->init_epoch(1);
  std::vector<int64_t> lengths;
  for (int64_t i = 0; i < dataset->sequence_count(); ++i) lengths.push_back(dataset->length(i, "data"));
  return lengths;
}

TEST(DatasetFactoryTest, RolesHaveTheirOwnOrder) {
  const Config config = config_of({{"batching", Value::of("reverse")}});
  const Value own = Value::of("default");
  EXPECT_EQ(lengths_in_order("train", config, nullptr), (std::vector<int64_t>{1, 3, 4, 2}));
  EXPECT_EQ(lengths_in_order("train", config, &own), (std::vector<int64_t>{2, 4, 3, 1}));
  EXPECT_EQ(lengths_in_order("dev", config, nullptr), (std::vector<int64_t>{1, 2, 3, 4}));
  EXPECT_EQ(lengths_in_order("dev", config, &own), (std::vector<int64_t>{2, 4, 3, 1}));
  EXPECT_EQ(lengths_in_order("other", config, nullptr), (std::vector<int64_t>{2, 4, 3, 1}));
}

TEST(DatasetFactoryTest, MetaDatasetJoinsByTag) {
  auto part = [](const std::vector<int64_t>& lengths, const std::string& key) {
    std::vector<Value> sequences;
    for (int64_t length : lengths) {
      sequences.push_back(
          dict_of({{key, Value::list(std::vector<Value>(static_cast<size_t>(length), Value::of(int64_t{length})))}}));
    }
    return dict_of({{"class", Value::of("StaticDataset")}, {"data", Value::list(sequences)}});
  };
  auto source = [](const char* dataset, const char* key) {
    return Value::list({Value::of(dataset), Value::of(key)}, Value::Kind::kTuple);
  };
  const Value sorted = part({5, 2, 7}, "data").with("seq_ordering", Value::of("sorted"));
  const Value options =
      dict_of({{"class", Value::of("MetaDataset")},
               {"datasets", dict_of({{"a", sorted}, {"b", part({1, 2, 3, 4}, "words")}})},
               {"data_map", dict_of({{"data", source("a", "data")}, {"classes", source("b", "words")}})},
               {"seq_order_control_dataset", Value::of("a")}});
  const auto dataset = make_dataset(options, config_of({}), "train");
  dataset->init_epoch(1);
  ASSERT_EQ(dataset->sequence_count(), 3);
  EXPECT_EQ(dataset->tag(0), "seq-1");
  EXPECT_EQ(dataset->length(2, "data"), 7);
  EXPECT_EQ(dataset->load(2).data.at("classes").to_vector<int32_t>(), (std::vector<int32_t>{3, 3, 3}));
  const std::string message =
      message_of(options.with("seq_order_control_dataset", Value::of("b")), ExitStatus::kMalformedInput);
  EXPECT_NE(message.find("sequence 'seq-3' of dataset 'b' is not in dataset 'a'"), std::string::npos) << message;
}

}  // namespace
}  // namespace wende
