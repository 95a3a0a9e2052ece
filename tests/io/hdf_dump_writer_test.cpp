#include "io/hdf_dump_writer.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "test_folder.h"

namespace wende {
namespace {

std::string scratch(const std::string& name) {
  const std::string path = test_path("dump_" + name);
  std::filesystem::remove(path);
  return path;
}

Tensor counting(Shape shape, float from) {
  const Tensor tensor = Tensor::empty(DType::kFloat32, shape);
  for (int64_t i = 0; i < tensor.elements(); ++i) tensor.data<float>()[i] = from + static_cast<float>(i);
  return tensor;
}

TEST(HdfDumpWriter, DenseLayout) {
  const std::string path = scratch("dense.hdf");
  HdfDumpWriter writer({.path = path, .dim = 3});
  writer.write({"seq-0", counting(Shape{5, 3}, 0), {5}, {}, {}});
  writer.write({"seq-1", counting(Shape{3, 3}, 15), {3}, {}, {}});
  EXPECT_FALSE(std::filesystem::exists(path));
  writer.close();
  const hdf5::File file = hdf5::File::open(path);
  EXPECT_EQ(file.int_attribute("/", "numTimesteps"), 8);
  EXPECT_EQ(file.int_attribute("/", "inputPattSize"), 3);
  EXPECT_EQ(file.int_attribute("/", "numDims"), 1);
  EXPECT_EQ(file.int_attribute("/", "numLabels"), 3);
  EXPECT_EQ(file.int_attribute("/", "numSeqs"), 2);
  EXPECT_EQ(file.read("seqLengths").to_vector<int32_t>(), (std::vector<int32_t>{5, 1, 3, 1}));
  EXPECT_EQ(file.read("targets/data/seq_sizes").to_vector<int32_t>(), (std::vector<int32_t>{5, 3}));
  EXPECT_EQ(file.ints_attribute("targets/size", "seq_sizes"), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(file.read_strings("targets/labels/seq_sizes"), std::vector<std::string>{"dummy-label"});
  EXPECT_EQ(file.read_strings("seqTags"), (std::vector<std::string>{"seq-0", "seq-1"}));
  EXPECT_EQ(file.info("labels").item_bytes, 5u);
  EXPECT_EQ(file.info("labels").shape, std::vector<int64_t>{0});
  EXPECT_EQ(file.read("inputs").to_vector<float>(), counting(Shape{8, 3}, 0).to_vector<float>());
}

TEST(HdfDumpWriter, SparseWithExtraKeys) {
  const std::string path = scratch("sparse.hdf");
  HdfDumpWriter writer(
      {.path = path, .dim = 2, .sparse = true, .rank = 1, .labels = {"a", "bc"}, .extra_types = {{"cls", {5, 1}}}});
  HdfDumpWriter::Row row{"t", Tensor::of<int32_t>({0, 1, 0}, Shape{3}), {3}, {}, {}};
  row.extra["enc"] = counting(Shape{4, 3}, 0);
  row.extra["cls"] = Tensor::of<int32_t>({4, 4}, Shape{2});
  row.extra["mean"] = Tensor::scalar(1);
  row.extra_strings["names"] = {"x", "y"};
  writer.write(row);
  writer.close();
  const hdf5::File file = hdf5::File::open(path);
  // Sorted: cls, enc, mean, names, seq_sizes.
  EXPECT_EQ(file.read("seqLengths").to_vector<int32_t>(), (std::vector<int32_t>{3, 2, 4, 1, 2, 1}));
  EXPECT_EQ(file.ints_attribute("targets/size", "cls"), (std::vector<int64_t>{5, 1}));
  EXPECT_EQ(file.ints_attribute("targets/size", "enc"), (std::vector<int64_t>{3, 2}));
  EXPECT_EQ(file.ints_attribute("targets/size", "mean"), (std::vector<int64_t>{1, 1}));
  EXPECT_EQ(file.read_strings("targets/data/names"), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(file.read_strings("labels"), (std::vector<std::string>{"a", "bc"}));
  EXPECT_EQ(file.read("inputs").dtype(), DType::kInt32);
}

TEST(HdfDumpWriter, TwoDynamicAxesAreFlattened) {
  const std::string path = scratch("two.hdf");
  HdfDumpWriter writer({.path = path, .dim = 2, .rank = 3});
  writer.write({"t", counting(Shape{3, 4, 2}, 0), {3, 4}, {}, {}});
  writer.close();
  const hdf5::File file = hdf5::File::open(path);
  EXPECT_EQ(file.info("inputs").shape, (std::vector<int64_t>{12, 2}));
  EXPECT_EQ(file.read("targets/data/sizes").to_vector<int32_t>(), (std::vector<int32_t>{3, 4}));
  EXPECT_EQ(file.read("seqLengths").to_vector<int32_t>(), (std::vector<int32_t>{12, 2, 2}));
}

TEST(HdfDumpWriter, ExistingFiles) {
  const std::string path = scratch("extend.hdf");
  const auto dump = [&](bool extend, float from) {
    HdfDumpWriter writer({.path = path, .dim = 1, .extend_existing_file = extend});
    writer.write({"t", counting(Shape{2, 1}, from), {2}, {}, {}});
    writer.close();
  };
  EXPECT_THROW(dump(true, 0), Error);
  dump(false, 0);
  EXPECT_THROW(dump(false, 0), Error);
  dump(true, 2);
  const hdf5::File file = hdf5::File::open(path);
  EXPECT_EQ(file.read("inputs").to_vector<float>(), (std::vector<float>{0, 1, 2, 3}));
  EXPECT_EQ(file.int_attribute("/", "numSeqs"), 2);
  EXPECT_EQ(file.int_attribute("/", "numTimesteps"), 4);
  EXPECT_EQ(file.read("seqLengths").to_vector<int32_t>(), (std::vector<int32_t>{2, 1, 2, 1}));
  EXPECT_EQ(file.read_strings("seqTags").size(), 2u);
}

TEST(HdfDumpWriter, AbandonedLeavesNothing) {
  const std::string path = scratch("abandoned.hdf");
  {
    HdfDumpWriter writer({.path = path, .dim = 1});
    writer.write({"t", counting(Shape{2, 1}, 0), {2}, {}, {}});
  }
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_FALSE(std::filesystem::exists(temporary_name(path)));
}

}  // namespace
}  // namespace wende
