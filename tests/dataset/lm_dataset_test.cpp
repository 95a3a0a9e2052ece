/// Texts as sequences of labels, as RETURNN makes them: returnn_lm/lm.json, by its record_lm.py.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "config/config.h"
#include "dataset/dataset.h"
#include "io/atomic_file.h"

namespace wende {
namespace {

std::unique_ptr<Dataset> dataset_of(const std::string& options) {
  std::string text = "train = {\"class\": \"LmDataset\", " + options.substr(1) + "\n";
  for (size_t at = text.find("DATA/"); at != std::string::npos; at = text.find("DATA/", at)) {
    text.replace(at, 4, WENDE_SOURCE_DIR "/tests/dataset/returnn_lm");
  }
  const Config config = Config::from_source(text, "case.config");
  return make_dataset(*config.find("train"), config, "train");
}

Json labels_of(const Tensor& values) {
  Json labels = Json::array();
  for (int64_t i = 0; i < values.elements(); ++i) labels.push(int64_t{values.data<int32_t>()[i]});
  return labels;
}

TEST(LmDataset, AsReturnn) {
  const std::string path = WENDE_SOURCE_DIR "/tests/dataset/returnn_lm/lm.json";
  const Json cases = Json::parse(read_file(path), path);
  for (const Json& one : cases.items()) {
    SCOPED_TRACE(one.at("options").as_string());
    const auto dataset = dataset_of(one.at("options").as_string());
    const bool delayed = dataset->keys().contains("delayed");
    int epoch = 0;
    for (const Json& expected : one.at("epochs").items()) {
      dataset->init_epoch(++epoch);
      Json found = Json::array();
      for (int64_t i = 0; i < dataset->sequence_count(); ++i) {
        const Sequence sequence = dataset->load(i);
        Json row = Json::array();
        row.push(sequence.tag);
        if (delayed) row.push(labels_of(sequence.data.at("delayed")));
        row.push(labels_of(sequence.data.at("data")));
        found.push(row);
        EXPECT_EQ(dataset->length(i, "data"), sequence.data.at("data").elements());
      }
      EXPECT_EQ(found.dump(), expected.dump()) << epoch;
    }
  }
  EXPECT_EQ(cases.items().size(), 8u);
}

std::string message_of(const std::string& options) {
  try {
    const auto dataset = dataset_of(options);
    dataset->init_epoch(1);
    for (int64_t i = 0; i < dataset->sequence_count(); ++i) dataset->load(i);
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

TEST(LmDataset, Misuse) {
  const std::string words =
      "{\"corpus_file\": \"DATA/words.txt\", \"orth_symbols_map_file\": \"DATA/words.vocab\", \"word_based\": True";
  EXPECT_NE(message_of(words + "}").find("sequence 'line-0': symbol '[END]' is not in the vocabulary"),
            std::string::npos);
  EXPECT_NE(message_of(words + ", \"seq_end_symbol\": None}").find("sequence 'line-1': symbol 'barks'"),
            std::string::npos);
  EXPECT_NE(message_of(words + ", \"auto_replace_unknown_symbol\": True}").find("unknown_symbol '[UNKNOWN]'"),
            std::string::npos);
  EXPECT_NE(message_of(words + ", \"add_delayed_seq_data\": True}").find("start_symbol '[START]'"), std::string::npos);
  EXPECT_NE(message_of(words + ", \"seq_list_file\": \"DATA/more.tags.gz\"}").find("names 4 sequences"),
            std::string::npos);
  EXPECT_NE(message_of(words + ", \"phone_info\": {}}").find("unknown option 'phone_info'"), std::string::npos);
  EXPECT_NE(message_of("{\"corpus_file\": \"DATA/words.txt\"}").find("needs either"), std::string::npos);
  EXPECT_NE(message_of("{\"orth_symbols_file\": \"DATA/characters.vocab\"}").find("corpus_file"), std::string::npos);
  EXPECT_NE(message_of("{\"corpus_file\": \"DATA/words.txt\", \"orth_symbols_map_file\": \"DATA/words.txt\"}")
                .find("a symbol and its label, got 'the cat sat on the mat'"),
            std::string::npos);
}

}  // namespace
}  // namespace wende
