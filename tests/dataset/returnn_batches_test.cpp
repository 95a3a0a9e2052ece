/// Orders of sequences and batches as RETURNN makes them: returnn_batches/batches.json, by its record_batches.py.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "config/config.h"
#include "dataset/batch.h"
#include "io/atomic_file.h"

namespace wende {
namespace {

std::string piece_text(const Dataset& dataset, const BatchPlan::Piece& piece) {
  const std::string tag = dataset.tag(piece.sequence);
  std::string text = tag.substr(tag.rfind('-') + 1) + ":";
  std::string first;
  for (const char* key : {"data", "classes"}) {
    const auto& [begin, end] = piece.range.at(key);
    const std::string range = fmt::format("{}-{}", begin, end);
    if (first.empty()) {
      first = range;
      text += range;
    } else if (range != first) {
      text += "," + range;
    }
  }
  return text;
}

std::string plan_text(const Dataset& dataset, const BatchOptions& options) {
  std::string text;
  for (const auto& batch : plan_batches(dataset, options).batches) {
    text += text.empty() ? "" : " | ";
    std::string steps;
    for (const BatchPlan::Piece& piece : batch) steps += (steps.empty() ? "" : " ") + piece_text(dataset, piece);
    text += steps;
  }
  return text;
}

std::string with_folder(std::string text, const std::string& name, const std::string& folder) {
  for (size_t at = text.find(name + "/"); at != std::string::npos; at = text.find(name + "/", at)) {
    text.replace(at, name.size(), WENDE_SOURCE_DIR "/tests/" + folder);
  }
  return text;
}

std::string with_data(const std::string& text) {
  return with_folder(with_folder(text, "DATA", "data"), "LISTS", "dataset/returnn_batches");
}

TEST(ReturnnBatches, OrderAndPieces) {
  const std::string path = WENDE_SOURCE_DIR "/tests/dataset/returnn_batches/batches.json";
  const Json cases = Json::parse(read_file(path), path);
  for (const Json& one : cases.items()) {
    const std::string text = one.at("config").as_string();
    SCOPED_TRACE(text);
    try {
      const Config config = Config::from_source(with_data(text), "case.config");
      const std::string role = one.at("role").as_string();
      const auto dataset = make_dataset(*config.find(role), config, role);
      BatchOptions options = BatchOptions::from_config(config, role, one.at("recurrent").as_bool());
      options.keys = {"classes", "data"};
      const Json::Array& epochs = one.at("epochs").items();
      for (size_t epoch = 1; epoch <= 3; ++epoch) {
        dataset->init_epoch(static_cast<int>(epoch));
        EXPECT_EQ(plan_text(*dataset, options), epochs[epochs.size() == 1 ? 0 : epoch - 1].as_string());
      }
    } catch (const std::exception& error) {
      ADD_FAILURE() << error.what();
    }
  }
  EXPECT_GT(cases.items().size(), 50u);
}

}  // namespace
}  // namespace wende
