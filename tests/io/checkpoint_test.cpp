#include "io/checkpoint.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <functional>
#include <limits>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/hdf5.h"
#include "test_folder.h"

namespace wende {
namespace {

std::string scratch(const std::string& name) { return test_path("checkpoint_" + name); }

/// The message, "" if there was no error.
std::string refusal(const std::function<void()>& action, ExitStatus expected = ExitStatus::kMalformedInput) {
  try {
    action();
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), expected) << error.what();
    return error.what();
  }
  return "";
}

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.params["fw0/W"] = Tensor::of<float>({1, 2, 3, 4, 5, 6}, Shape{2, 3});
  checkpoint.params["fw0/b"] = Tensor::of<float>({0.5f, -0.5f, 1e-30f}, Shape{3});
  checkpoint.optimizer["step"] = Tensor::of<int64_t>({int64_t{1} << 40}, Shape{});
  checkpoint.optimizer["flag"] = Tensor::zeros(DType::kBool, Shape{3});
  checkpoint.optimizer["empty"] = Tensor::zeros(DType::kFloat64, Shape{0, 2});
  checkpoint.counters = {{"epoch", 3}, {"global_step", 12345678901}};
  checkpoint.numbers = {{"rate", 0.1}, {"nan", std::nan("")}, {"inf", -std::numeric_limits<double>::infinity()}};
  checkpoint.texts = {{"config", "x = \"1\"\n\t\x01"}};
  return checkpoint;
}

TEST(Crc32c, KnownVectors) {
  EXPECT_EQ(crc32c("123456789", 9), 0xE3069283u);
  EXPECT_EQ(crc32c("", 0), 0u);
  const std::string zeros(32, '\0');
  EXPECT_EQ(crc32c(zeros.data(), zeros.size()), 0x8A9136AAu);
  EXPECT_EQ(crc32c("6789", 4, crc32c("12345", 5)), 0xE3069283u);
}

TEST(AtomicFile, ReplacesWholeOrNothing) {
  const std::string path = scratch("file");
  write_file_atomically(path, "old");
  EXPECT_EQ(read_file(path), "old");
  EXPECT_THROW(write_file_atomically(path,
                                     [](const std::string& temporary) {
                                       write_file_atomically(temporary, "half");
                                       throw Error(ExitStatus::kIo, "disk full");
                                     }),
               Error);
  EXPECT_EQ(read_file(path), "old");
  EXPECT_FALSE(std::filesystem::exists(temporary_name(path)));
  write_file_atomically(path, std::string(100000, 'x'));
  EXPECT_EQ(read_file(path), std::string(100000, 'x'));
  refusal([] { read_file("/absent"); }, ExitStatus::kMissingInput);
  EXPECT_NE(refusal([&] { make_folders(path + "/below"); }, ExitStatus::kCannotCreate), "");
  EXPECT_NE(refusal([] { check_writable("/proc/absent/file"); }, ExitStatus::kCannotCreate), "");
  check_writable(scratch("new/folder/file"));
}

TEST(Checkpoint, ComesBack) {
  const std::string path = scratch("model.003.wende");
  const Checkpoint saved = example();
  save_checkpoint(path, saved);
  save_checkpoint(path + "/", saved);  // over an older one
  const Checkpoint loaded = load_checkpoint(path);
  ASSERT_EQ(loaded.params.size(), 2u);
  EXPECT_EQ(loaded.params.at("fw0/W").to_vector<float>(), saved.params.at("fw0/W").to_vector<float>());
  EXPECT_EQ(loaded.params.at("fw0/W").shape(), (Shape{2, 3}));
  EXPECT_EQ(loaded.optimizer.at("step").to_vector<int64_t>(), std::vector<int64_t>{int64_t{1} << 40});
  EXPECT_EQ(loaded.optimizer.at("step").rank(), 0);
  EXPECT_EQ(loaded.optimizer.at("empty").shape(), (Shape{0, 2}));
  EXPECT_EQ(loaded.counters, saved.counters);
  EXPECT_EQ(loaded.numbers.at("rate"), 0.1);
  EXPECT_TRUE(std::isnan(loaded.numbers.at("nan")));
  EXPECT_EQ(loaded.numbers.at("inf"), saved.numbers.at("inf"));
  EXPECT_EQ(loaded.texts, saved.texts);
  EXPECT_EQ(checkpoint_counters(path), saved.counters);
  EXPECT_EQ(checkpoint_counters(path + ".absent"), std::nullopt);
  EXPECT_EQ(load_parameters(path).size(), 2u);
  EXPECT_EQ(load_parameters(path + "/params.safetensors").size(), 2u);
  EXPECT_FALSE(std::filesystem::exists(temporary_name(path)));
}

TEST(Checkpoint, DamageIsNamed) {
  const std::string path = scratch("damaged.wende");
  const auto after = [&](const std::string& file, const std::function<void(std::string&)>& change) {
    save_checkpoint(path, example());
    std::string bytes = read_file(path + "/" + file);
    change(bytes);
    write_file_atomically(path + "/" + file, bytes);
    return refusal([&] { load_checkpoint(path); });
  };
  const std::string cut = after("params.safetensors", [](std::string& bytes) { bytes.pop_back(); });
  EXPECT_NE(cut.find("params.safetensors"), std::string::npos) << cut;
  EXPECT_NE(cut.find("bytes"), std::string::npos) << cut;
  const std::string flipped = after("optim.safetensors", [](std::string& bytes) { bytes.back() ^= 1; });
  EXPECT_NE(flipped.find("CRC32C"), std::string::npos) << flipped;
  EXPECT_NE(after("manifest.json", [](std::string& bytes) { bytes.resize(bytes.size() / 2); }), "");
  EXPECT_NE(after("manifest.json", [](std::string& bytes) { bytes = "[]"; }), "");
  std::filesystem::remove(path + "/manifest.json");
  EXPECT_NE(refusal([&] { load_checkpoint(path); }).find("manifest.json"), std::string::npos);
  EXPECT_NE(refusal([] { load_checkpoint("/absent.wende"); }, ExitStatus::kMissingInput), "");
}

TEST(Checkpoint, ParametersFromHdf5) {
  const std::string path = scratch("params.hdf");
  hdf5::File file = hdf5::File::create(path);
  file.write("rec/W", Tensor::of<float>({1, 2}, Shape{2}));
  file.close();
  EXPECT_EQ(load_parameters(path).at("rec/W").to_vector<float>(), (std::vector<float>{1, 2}));
}

std::string with_header(const std::string& header, size_t data_bytes) {
  std::string bytes;
  for (size_t i = 0; i < 8; ++i) bytes.push_back(static_cast<char>(header.size() >> (8 * i)));
  return bytes + header + std::string(data_bytes, '\0');
}

TEST(Safetensors, ReadsForeignHeaders) {
  const std::string bytes = with_header(
      R"({"__metadata__":{"format":"pt"},"b":{"dtype":"I32","shape":[2],"data_offsets":[4,12]},"a":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}  )",
      12);
  const auto tensors = parse_safetensors(bytes, "x");
  EXPECT_EQ(tensors.at("b").to_vector<int32_t>(), (std::vector<int32_t>{0, 0}));
  EXPECT_EQ(tensors.at("a").rank(), 0);
}

TEST(Safetensors, RefusesUnsoundHeaders) {
  const auto refused = [](const std::string& header, size_t data_bytes) {
    return refusal([&] { parse_safetensors(with_header(header, data_bytes), "x"); });
  };
  EXPECT_NE(refusal([] { parse_safetensors("short", "x"); }), "");
  EXPECT_NE(refusal([] { parse_safetensors(std::string(8, '\xff'), "x"); }), "");
  EXPECT_NE(refusal([] { parse_safetensors(std::string("\x10\0\0\0\0\0\0\0{}", 10), "x"); }), "");
  EXPECT_NE(refused("[]", 0), "");
  EXPECT_NE(refused(R"({"a":{"dtype":"BF16","shape":[2],"data_offsets":[0,4]}})", 4), "");
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}})", 8), "") << "a gap";
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 8), "") << "bytes left over";
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})", 4), "") << "too small";
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}})", 4), "");
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,0]}})", 0), "")
      << "overflow";
  EXPECT_NE(refused(R"({"a":{"dtype":"F32","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,4]}})", 4), "") << "rank 9";
  EXPECT_NE(
      refused(
          R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}})",
          4),
      "")
      << "overlap";
  EXPECT_NE(refused(std::string(100000, '['), 0), "") << "deep nesting";
}

}  // namespace
}  // namespace wende
