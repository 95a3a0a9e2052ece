#pragma once

#include <array>
#include <string>
#include <vector>

#include "dataset/dataset.h"

namespace wende {

/// Sequences with "data" [T,3] (value: 1000 * sequence + frame in column 0), "classes" and perhaps "words".
class FakeDataset : public Dataset {
 public:
  struct Lengths {
    int64_t data, classes, words;
  };
  FakeDataset(std::vector<Lengths> lengths, bool with_words) : lengths_(std::move(lengths)), words_(with_words) {}

  std::map<std::string, KeyInfo> keys() const override {
    std::map<std::string, KeyInfo> keys = {{"data", {.dim = 3}},
                                           {"classes", {.dtype = DType::kInt32, .sparse = true, .dim = 5, .rank = 1}}};
    if (words_) keys["words"] = {.dtype = DType::kInt32, .sparse = true, .dim = 9, .rank = 1};
    return keys;
  }
  void init_epoch(int) override {}
  int64_t sequence_count() const override { return static_cast<int64_t>(lengths_.size()); }
  int64_t length(int64_t index, const std::string& key) const override {
    const Lengths& lengths = lengths_[static_cast<size_t>(index)];
    return key == "data" ? lengths.data : key == "classes" ? lengths.classes : lengths.words;
  }
  std::string tag(int64_t index) const override { return "seq-" + std::to_string(index); }
  Sequence load(int64_t index) override {
    if (index == fail_at) throw Error(ExitStatus::kMalformedInput, "broken sequence");
    Sequence sequence{.index = index, .tag = tag(index), .data = {}};
    Tensor data = Tensor::zeros(DType::kFloat32, {length(index, "data"), 3});
    for (int64_t t = 0; t < data.dim(0); ++t) data.data<float>()[t * 3] = static_cast<float>(1000 * index + t);
    sequence.data["data"] = data;
    for (const char* key : {"classes", "words"}) {
      if (!words_ && std::string(key) == "words") continue;
      Tensor labels = Tensor::zeros(DType::kInt32, {length(index, key)});
      for (int64_t t = 0; t < labels.dim(0); ++t) labels.data<int32_t>()[t] = static_cast<int32_t>(index + 1);
      sequence.data[key] = labels;
    }
    return sequence;
  }

  int64_t fail_at = -1;

 private:
  std::vector<Lengths> lengths_;
  bool words_;
};

inline std::vector<FakeDataset::Lengths> eleven_lengths() {
  return {{13, 13, 1}, {40, 40, 2}, {7, 7, 1},   {100, 100, 5}, {33, 33, 3}, {2, 2, 1},
          {61, 61, 4}, {20, 20, 2}, {55, 55, 5}, {1, 1, 1},     {90, 90, 6}};
}

}  // namespace wende
