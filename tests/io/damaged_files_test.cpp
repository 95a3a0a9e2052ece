#include <gtest/gtest.h>

#include <cstdio>
#include <cstring>
#include <functional>
#include <random>

#include "base/error.h"
#include "io/atomic_file.h"
#include "io/checkpoint.h"
#include "io/hdf5.h"
#include "test_folder.h"

namespace wende {
namespace {

constexpr int kTrials = 1000;
constexpr int kFileTrials = 200;

std::string scratch(const std::string& name) { return test_path("damaged_" + name); }

/// Changes, removes, inserts or repeats a few bytes; `most` limits where.
std::string mutated(const std::string& bytes, size_t most, std::mt19937& random) {
  std::string result = bytes;
  const int changes = 1 + static_cast<int>(random() % 8);
  for (int i = 0; i < changes && !result.empty(); ++i) {
    const size_t where = random() % std::min(most, result.size());
    switch (random() % 5) {
      case 0:
        result[where] = static_cast<char>(random());
        break;
      case 1:
        result[where] = static_cast<char>(result[where] ^ (1 << random() % 8));
        break;
      case 2:
        result.erase(where, 1 + random() % 4);
        break;
      case 3:
        result.insert(where, result.substr(where, 1 + random() % 16));
        break;
      default:
        result[where] = "0123456789-eE\"{}[],:\\"[random() % 21];
        break;
    }
  }
  if (random() % 10 == 0) result.resize(random() % (result.size() + 1));
  return result;
}

/// True if it was read, false if refused as damaged; anything else fails the test.
bool read_or_refused(const std::function<void()>& action) {
  try {
    action();
    return true;
  } catch (const Error& error) {
    EXPECT_EQ(error.status(), ExitStatus::kMalformedInput) << error.what();
    return false;
  }
}

/// Without fsync, for speed.
void put(const std::string& file, const std::string& bytes) {
  std::FILE* out = std::fopen(file.c_str(), "wb");
  ASSERT_NE(out, nullptr);
  std::fwrite(bytes.data(), 1, bytes.size(), out);
  std::fclose(out);
}

Checkpoint example() {
  Checkpoint checkpoint;
  checkpoint.params["a/W"] = Tensor::of<float>({1, 2, 3, 4}, Shape{2, 2});
  checkpoint.params["b"] = Tensor::of<int64_t>({1}, Shape{});
  checkpoint.counters["epoch"] = 1;
  checkpoint.numbers["rate"] = 0.5;
  checkpoint.texts["config"] = "x = 1\n";
  return checkpoint;
}

TEST(DamagedFiles, Safetensors) {
  std::mt19937 random(1);
  const std::string bytes = write_safetensors(example().params);
  int refused = 0;
  for (int i = 0; i < kTrials; ++i) {
    const std::string damaged = mutated(bytes, bytes.size(), random);
    refused += read_or_refused([&] { parse_safetensors(damaged, "x"); }) ? 0 : 1;
  }
  EXPECT_GT(refused, kTrials / 2);
}

TEST(DamagedFiles, Checkpoint) {
  std::mt19937 random(2);
  const std::string path = scratch("model.wende");
  save_checkpoint(path, example());
  const std::string manifest = read_file(path + "/manifest.json");
  const std::string params = read_file(path + "/params.safetensors");
  for (int i = 0; i < kFileTrials; ++i) {
    const std::string damaged = mutated(params, params.size(), random);
    put(path + "/params.safetensors", damaged);
    EXPECT_EQ(read_or_refused([&] { load_checkpoint(path); }), damaged == params) << "damage was not noticed";
  }
  put(path + "/params.safetensors", params);
  for (int i = 0; i < kFileTrials; ++i) {
    put(path + "/manifest.json", mutated(manifest, manifest.size(), random));
    read_or_refused([&] { load_checkpoint(path); });
  }
}

/// Every bit of every byte that is not a parameter, 200 of those that are, and 50 ends that come too early.
TEST(DamagedFiles, CheckpointByteByByte) {
  std::mt19937 random(4);
  const std::string path = scratch("bytes.wende");
  Checkpoint checkpoint = example();
  checkpoint.params["large"] = Tensor::zeros(DType::kFloat32, Shape{100, 100});
  checkpoint.optimizer["large/m"] = Tensor::zeros(DType::kFloat32, Shape{100});
  save_checkpoint(path, checkpoint);
  for (const char* name : {"/params.safetensors", "/optim.safetensors"}) {
    const std::string file = path + name;
    const std::string bytes = read_file(file);
    uint64_t header = 0;
    std::memcpy(&header, bytes.data(), sizeof(header));
    header += sizeof(header);
    ASSERT_LT(header, bytes.size());
    const auto refused_with = [&](const std::string& damaged) {
      put(file, damaged);
      return !read_or_refused([&] { load_checkpoint(path); });
    };
    for (size_t i = 0; i < header + 200; ++i) {
      const size_t where = i < header ? i : header + random() % (bytes.size() - header);
      std::string damaged = bytes;
      damaged[where] = static_cast<char>(damaged[where] ^ (1 << i % 8));
      EXPECT_TRUE(refused_with(damaged)) << name << " byte " << where;
    }
    for (int i = 0; i < 50; ++i) EXPECT_TRUE(refused_with(bytes.substr(0, random() % bytes.size())));
    put(file, bytes);
  }
  const std::string manifest = read_file(path + "/manifest.json");
  for (size_t i = 0; i < manifest.size(); ++i) {
    std::string damaged = manifest;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 7));
    put(path + "/manifest.json", damaged);
    EXPECT_FALSE(read_or_refused([&] { load_checkpoint(path); })) << "manifest byte " << i;
    put(path + "/manifest.json", manifest.substr(0, i));
    EXPECT_FALSE(read_or_refused([&] { load_checkpoint(path); })) << "manifest of " << i << " bytes";
  }
}

/// Only where the file is cut or its start is damaged: the library itself is no parser for hostile content.
TEST(DamagedFiles, Hdf5Start) {
  std::mt19937 random(3);
  const std::string path = scratch("start.h5");
  {
    hdf5::File file = hdf5::File::create(path);
    file.write("g/x", Tensor::of<float>({1, 2, 3}, Shape{3}));
    file.close();
  }
  const std::string bytes = read_file(path);
  constexpr size_t kSignatureBytes = 8;
  for (int i = 0; i < 100; ++i) {
    std::string damaged = bytes;
    if (i % 2 == 0) damaged.resize(random() % damaged.size());
    if (i % 2 == 1) damaged[random() % kSignatureBytes] ^= 0x10;
    put(path, damaged);
    EXPECT_FALSE(read_or_refused([&] { hdf5::File::open(path).info("g/x"); }));
  }
}

}  // namespace
}  // namespace wende
