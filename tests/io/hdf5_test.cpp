#include "io/hdf5.h"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <limits>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/hdf5_handle.h"
#include "test_folder.h"

namespace wende {
namespace {

std::string scratch(const std::string& name) { return test_path("hdf5_" + name); }

ExitStatus status_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    return error.status();
  }
  return ExitStatus::kOk;
}

TEST(Hdf5, AppendedBoolsAreThoseOfH5py) {
  const std::string path = scratch("bools.h5");
  {
    hdf5::File file = hdf5::File::create(path);
    file.create_appendable("flags", DType::kBool, {2}, {4, 2});
    const Tensor flags = Tensor::zeros(DType::kBool, Shape{1, 2});
    flags.data<bool>()[1] = true;
    file.append("flags", flags);
    file.append("flags", flags);
    file.close();
  }
  EXPECT_EQ(hdf5::File::open(path).read("flags").to_vector<bool>(), (std::vector<bool>{false, true, false, true}));
  const hdf5::Handle file(H5Fopen(path.c_str(), H5F_ACC_RDONLY, H5P_DEFAULT), H5Fclose);
  const hdf5::Handle dataset(H5Dopen2(file.get(), "flags", H5P_DEFAULT), H5Dclose);
  const hdf5::Handle type(H5Dget_type(dataset.get()), H5Tclose);
  ASSERT_EQ(H5Tget_class(type.get()), H5T_ENUM);
  char name[8] = {};
  const int8_t value = 1;
  EXPECT_GE(H5Tenum_nameof(type.get(), &value, name, sizeof(name)), 0);
  EXPECT_STREQ(name, "TRUE");
}

TEST(Hdf5, ComplexNumbersComeBack) {
  const std::string path = scratch("complex.h5");
  const Tensor z = Tensor::zeros(DType::kComplex64, Shape{2});
  const std::array<float, 4> parts{1, -2, 3, 4};
  std::memcpy(z.raw(), parts.data(), z.bytes());
  {
    hdf5::File file = hdf5::File::create(path);
    file.write("z", z);
    file.close();
  }
  const hdf5::File file = hdf5::File::open(path);
  const Tensor again = file.read("z");
  ASSERT_EQ(again.dtype(), DType::kComplex64);
  ASSERT_EQ(again.shape(), z.shape());
  EXPECT_EQ(std::memcmp(again.raw(), z.raw(), z.bytes()), 0);
  EXPECT_EQ(status_of([&] { file.read("z", DType::kFloat32); }), ExitStatus::kMalformedInput);
}

TEST(Hdf5, NumbersComeBack) {
  const std::string path = scratch("numbers.h5");
  {
    hdf5::File file = hdf5::File::create(path);
    file.write("a/b/w", Tensor::of<float>({1, 2, 3, 4, 5, 6}, Shape{2, 3}));
    file.write("long", Tensor::of<int64_t>({1, int64_t{1} << 40}, Shape{2}));
    file.write("small", Tensor::of<int32_t>({-7}, Shape{}));
    file.write("rank5", Tensor::zeros(DType::kFloat64, Shape{1, 2, 1, 2, 3}));
    file.write("none", Tensor::zeros(DType::kFloat32, Shape{0, 4}));
    const Tensor flags = Tensor::zeros(DType::kBool, Shape{3});
    flags.data<bool>()[1] = true;
    file.write("flags", flags);
    file.close();
  }
  const hdf5::File file = hdf5::File::open(path);
  EXPECT_EQ(file.datasets_below("/"), (std::vector<std::string>{"a/b/w", "flags", "long", "none", "rank5", "small"}));
  EXPECT_EQ(file.children("a"), std::vector<std::string>{"b"});
  EXPECT_EQ(file.read("a/b/w").to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file.read("/a/b/w", DType::kInt32).to_vector<int32_t>(), (std::vector<int32_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file.read_rows("a/b/w", DType::kFloat64, 1, 2).to_vector<double>(), (std::vector<double>{4, 5, 6}));
  EXPECT_EQ(file.read("long").dtype(), DType::kInt64);
  EXPECT_EQ(file.read("small").rank(), 0);
  EXPECT_EQ(file.read("small").to_vector<int32_t>(), std::vector<int32_t>{-7});
  EXPECT_EQ(file.read("rank5").shape(), (Shape{1, 2, 1, 2, 3}));
  EXPECT_EQ(file.read("none").shape(), (Shape{0, 4}));
  EXPECT_EQ(file.read("flags").to_vector<bool>(), (std::vector<bool>{false, true, false}));
  EXPECT_EQ(file.int_attribute("flags", "was_bool"), 1);
  EXPECT_EQ(status_of([&] { file.read("long", DType::kInt32); }), ExitStatus::kMalformedInput) << "clipped silently";
  EXPECT_EQ(status_of([&] { file.read_rows("a/b/w", DType::kFloat32, 1, 3); }), ExitStatus::kMalformedInput);
  EXPECT_EQ(status_of([&] { file.read("a/b/x"); }), ExitStatus::kMalformedInput);
  EXPECT_EQ(status_of([&] { file.read_strings("long"); }), ExitStatus::kMalformedInput);
  EXPECT_FALSE(file.exists("a/c/w"));
  EXPECT_TRUE(file.is_group("/"));
}

TEST(Hdf5, StringsAndAttributes) {
  const std::string path = scratch("strings.h5");
  {
    hdf5::File file = hdf5::File::create(path);
    file.write_strings("tags", {"seq-0", "", "gr\xc3\xbc\xc3\x9f"});
    file.write_string("config", "x = 1\n");
    file.write_fixed_strings("labels", {"a", "bcd"}, 3);
    file.write_fixed_strings("no_labels", {}, 5);
    file.make_group("g/h");
    file.set_attribute("/", "count", 3);
    file.set_attribute("/", "count", 4);
    file.set_attribute("g/h", "rate", 0.25);
    file.set_attribute("g/h", "name", "text");
    file.set_attribute("g/h", "size", std::vector<int64_t>{1, 2});
    file.set_attribute("g/h", "values", Tensor::of<float>({1, 2}, Shape{2}));
  }
  const hdf5::File file = hdf5::File::open(path);
  EXPECT_EQ(file.read_strings("tags"), (std::vector<std::string>{"seq-0", "", "gr\xc3\xbc\xc3\x9f"}));
  EXPECT_EQ(file.read_strings("config"), std::vector<std::string>{"x = 1\n"});
  EXPECT_EQ(file.read_strings("labels"), (std::vector<std::string>{"a", "bcd"}));
  EXPECT_TRUE(file.read_strings("no_labels").empty());
  EXPECT_EQ(file.info("labels").item_bytes, 3u);
  EXPECT_EQ(file.int_attribute("/", "count"), 4);
  EXPECT_EQ(file.float_attribute("/", "count"), 4.0);
  EXPECT_EQ(file.float_attribute("g/h", "rate"), 0.25);
  EXPECT_EQ(file.string_attribute("g/h", "name"), "text");
  EXPECT_EQ(file.ints_attribute("g/h", "size"), (std::vector<int64_t>{1, 2}));
  EXPECT_FALSE(file.has_attribute("g/h", "absent"));
  EXPECT_FALSE(file.has_attribute("absent", "absent"));
  EXPECT_EQ(status_of([&] { file.int_attribute("g/h", "rate"); }), ExitStatus::kMalformedInput);
  EXPECT_EQ(status_of([&] { file.int_attribute("g/h", "size"); }), ExitStatus::kMalformedInput);
}

TEST(Hdf5, AppendedRowsFollowEachOther) {
  const std::string path = scratch("append.h5");
  {
    hdf5::File file = hdf5::File::create(path);
    file.create_appendable("x", DType::kFloat32, {2}, {4, 2});
    file.create_appendable_strings("t", 16);
    file.append("x", Tensor::of<float>({1, 2}, Shape{1, 2}));
    file.append("x", Tensor::of<float>({3, 4, 5, 6}, Shape{2, 2}));
    file.append_strings("t", {"a"});
    file.append_strings("t", {"b", "c"});
    EXPECT_EQ(status_of([&] { file.append("x", Tensor::of<float>({1}, Shape{1, 1})); }), ExitStatus::kIo);
    file.close();
  }
  const hdf5::File file = hdf5::File::open(path);
  EXPECT_EQ(file.read("x").to_vector<float>(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(file.read_strings("t"), (std::vector<std::string>{"a", "b", "c"}));
}

TEST(Hdf5, AFlippedBitInAChunkIsNoticed) {
  const std::string path = scratch("flipped.h5");
  std::vector<float> numbers(4096);
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = static_cast<float>(i) + 0.25f;
  {
    hdf5::File file = hdf5::File::create(path);
    file.create_appendable("x", DType::kFloat32, {}, {1024});
    file.append("x", Tensor::of<float>(numbers, Shape{4096}));
    file.close();
  }
  std::string bytes = read_file(path);
  for (const size_t row : {size_t{0}, size_t{1500}, size_t{4095}}) {
    const size_t at = bytes.find(std::string(reinterpret_cast<const char*>(&numbers[row]), sizeof(float)));
    ASSERT_NE(at, std::string::npos);
    bytes[at] ^= 4;
    write_file_atomically(path, bytes);
    EXPECT_EQ(status_of([&] { hdf5::File::open(path).read("x"); }), ExitStatus::kMalformedInput) << "row " << row;
    bytes[at] ^= 4;
  }
  write_file_atomically(path, bytes);
  EXPECT_EQ(hdf5::File::open(path).read("x").to_vector<float>(), numbers);
}

TEST(Hdf5, ChunksAreThoseOfH5py) {
  EXPECT_EQ(hdf5::h5py_chunk({0, 3}, 4), (std::vector<int64_t>{512, 3}));
  EXPECT_EQ(hdf5::h5py_chunk({0, 1}, 4), (std::vector<int64_t>{1024, 1}));
  EXPECT_EQ(hdf5::h5py_chunk({0}, 4), (std::vector<int64_t>{1024}));
  EXPECT_EQ(hdf5::h5py_chunk({6, 3}, 4), (std::vector<int64_t>{6, 3}));
  EXPECT_EQ(hdf5::h5py_chunk({51240}, 1), (std::vector<int64_t>{6405}));
  EXPECT_EQ(hdf5::h5py_chunk({50728}, 1), (std::vector<int64_t>{6341}));
}

TEST(Hdf5, UnreadableFilesAreTold) {
  EXPECT_EQ(status_of([] { hdf5::File::open(scratch("absent.h5")); }), ExitStatus::kMissingInput);
  const std::string text = scratch("text.h5");
  write_file_atomically(text, "not an HDF5 file\n");
  EXPECT_EQ(status_of([&] { hdf5::File::open(text); }), ExitStatus::kMalformedInput);
  EXPECT_EQ(status_of([] { hdf5::File::create("/absent/folder/x.h5"); }), ExitStatus::kCannotCreate);

  const std::string whole = scratch("whole.h5");
  {
    hdf5::File file = hdf5::File::create(whole);
    file.write("x", Tensor::zeros(DType::kFloat32, Shape{1000}));
    file.close();
  }
  const std::string cut = scratch("cut.h5");
  write_file_atomically(cut, read_file(whole).substr(0, 1000));
  try {
    hdf5::File::open(cut);
    FAIL() << "a truncated file was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kMalformedInput);
    EXPECT_NE(std::string(error.what()).find("truncated"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace wende
