#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "config_of.h"
#include "dataset/dataset.h"
#include "io/hdf5.h"

namespace wende {
namespace {

class HdfDatasetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::path(::testing::TempDir()) /
              ("hdf_dataset_test." + std::string(::testing::UnitTest::GetInstance()->current_test_info()->name()));
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  std::string path(const std::string& name) const { return (folder_ / name).string(); }

  /// Three sequences of 2, 1 and 3 frames with 2 features; per frame a label of 4; 1, 0 and 2 words.
  struct Content {
    std::vector<int32_t> lengths = {2, 2, 1, 1, 1, 0, 3, 3, 2};
    int64_t columns = 3;
    std::vector<float> inputs = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11};
    std::vector<int32_t> classes = {0, 1, 2, 3, 2, 1};
    std::vector<int32_t> words = {7, 8, 9};
    std::vector<std::string> tags = {"a", "b", "c"};
  };
  std::string write(const std::string& name, const Content& content) const {
    hdf5::File file = hdf5::File::create(path(name));
    file.write("inputs", Tensor::of(content.inputs, {static_cast<int64_t>(content.inputs.size()) / 2, 2}));
    file.write("targets/data/classes", Tensor::of(content.classes, {static_cast<int64_t>(content.classes.size())}));
    file.write("targets/data/words", Tensor::of(content.words, {static_cast<int64_t>(content.words.size())}));
    file.make_group("targets/size");
    file.set_attribute("targets/size", "classes", int64_t{4});
    file.set_attribute("targets/size", "words", std::vector<int64_t>{11, 1});
    file.make_group("targets/labels");
    file.write_strings("targets/labels/classes", {"w", "x", "y", "z"});
    const int64_t rows = static_cast<int64_t>(content.lengths.size()) / content.columns;
    file.write("seqLengths", Tensor::of(content.lengths, {rows, content.columns}));
    file.write_fixed_strings("seqTags", content.tags, 5);
    file.close();
    return path(name);
  }

  static std::unique_ptr<Dataset> open(const std::vector<std::string>& files, const std::string& ordering = "default") {
    std::vector<Value> names;
    for (const std::string& file : files) names.push_back(Value::of(file));
    return make_dataset(
        dict_of(
            {{"class", Value::of("HDFDataset")}, {"files", Value::list(names)}, {"seq_ordering", Value::of(ordering)}}),
        config_of({}), "train");
  }

  static std::string refusal(const std::string& file, int64_t sequence = -1) {
    try {
      const auto dataset = open({file});
      dataset->init_epoch(1);
      if (sequence >= 0) dataset->load(sequence);
    } catch (const Error& error) {
      EXPECT_EQ(error.status(), ExitStatus::kMalformedInput);
      return error.what();
    }
    return "no error";
  }

  std::filesystem::path folder_;
};

TEST_F(HdfDatasetTest, ReadsKeysAndSequences) {
  const auto dataset = open({write("x.hdf", {})});
  const auto keys = dataset->keys();
  ASSERT_EQ(keys.size(), 3U);
  EXPECT_EQ(keys.at("data").dim, 2);
  EXPECT_FALSE(keys.at("data").sparse);
  EXPECT_EQ(keys.at("classes").dim, 4);
  EXPECT_TRUE(keys.at("classes").sparse);
  EXPECT_EQ(keys.at("classes").labels, (std::vector<std::string>{"w", "x", "y", "z"}));
  EXPECT_EQ(keys.at("words").dim, 11);
  dataset->init_epoch(1);
  ASSERT_EQ(dataset->sequence_count(), 3);
  EXPECT_EQ(dataset->tag(2), "c");
  EXPECT_EQ(dataset->length(2, "words"), 2);
  const Sequence sequence = dataset->load(2);
  EXPECT_EQ(sequence.data.at("data").to_vector<float>(), (std::vector<float>{6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(sequence.data.at("classes").to_vector<int32_t>(), (std::vector<int32_t>{3, 2, 1}));
  EXPECT_EQ(sequence.data.at("words").to_vector<int32_t>(), (std::vector<int32_t>{8, 9}));
  EXPECT_EQ(dataset->load(1).data.at("words").elements(), 0);
}

TEST_F(HdfDatasetTest, SeveralFilesAndPatterns) {
  const std::string first = write("1.hdf", {});
  Content other;
  other.tags = {"d", "e", "f"};
  other.inputs[11] = 50;
  write("2.hdf", other);
  const auto dataset = open({path("?.hdf")}, "sorted");
  dataset->init_epoch(1);
  ASSERT_EQ(dataset->sequence_count(), 6);
  EXPECT_EQ(dataset->tag(0), "b");
  EXPECT_EQ(dataset->tag(5), "f");
  EXPECT_EQ(dataset->load(5).data.at("data").to_vector<float>().back(), 50);
}

TEST_F(HdfDatasetTest, MalformedFilesAreRefused) {
  Content columns;
  columns.columns = 9;
  columns.tags = {"a"};
  EXPECT_NE(refusal(write("columns.hdf", columns)).find("9 columns, but there are 3 keys"), std::string::npos);
  Content frames;
  frames.lengths[6] = 4;
  EXPECT_NE(refusal(write("frames.hdf", frames)).find("says 7 frames for 'data', but /inputs has 6"),
            std::string::npos);
  Content tags;
  tags.tags = {"a", "b"};
  EXPECT_NE(refusal(write("tags.hdf", tags)).find("/seqTags has 2 sequences, /seqLengths 3"), std::string::npos);
  Content negative;
  negative.lengths = {2, 2, 1, -1, 1, 0, 5, 3, 2};
  EXPECT_NE(refusal(write("negative.hdf", negative)).find("'b' has a negative length"), std::string::npos);
  hdf5::File empty = hdf5::File::create(path("empty.hdf"));
  empty.close();
  EXPECT_NE(refusal(path("empty.hdf")).find("/seqTags is missing"), std::string::npos);
}

TEST_F(HdfDatasetTest, WrongValuesAreRefusedWithTheirPlace) {
  Content labels;
  labels.classes[4] = 4;
  const std::string label = refusal(write("labels.hdf", labels), 2);
  EXPECT_NE(label.find("sequence 'c' (2), key 'classes', frame 1: label 4"), std::string::npos) << label;
  Content numbers;
  numbers.inputs[9] = std::nanf("");
  const std::string number = refusal(write("numbers.hdf", numbers), 2);
  EXPECT_NE(number.find("sequence 'c' (2), key 'data', frame 1"), std::string::npos) << number;
  EXPECT_EQ(refusal(path("numbers.hdf"), 1), "no error");
}

}  // namespace
}  // namespace wende
