#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "base/log.h"
#include "config/args.h"
#include "config/literal.h"
#include "dataset/corpus_dataset.h"
#include "dataset/orthography.h"
#include "dataset/symbol_table.h"
#include "dataset/tag_list.h"
#include "io/text_file.h"

namespace wende {

namespace {

using Symbols = std::vector<std::string>;

const Value* given(const Value& options, const char* key) {
  const Value* value = options.find(key);
  return value != nullptr && !value->is_none() ? value : nullptr;
}

/// A file name, or a function that returns it; nullopt where it is absent or empty.
std::optional<Value> file_option(const Value& options, const char* key) {
  const Value* value = given(options, key);
  if (value == nullptr) return std::nullopt;
  Value file = value->is_callable() ? value->as_callable().call({}, {}).placed(value->span(), value->path()) : *value;
  if (file.is_none() || (file.is_string() && file.as_string().empty())) return std::nullopt;
  return file;
}

bool flag(const Value& options, const char* key, bool fallback) {
  const Value* value = given(options, key);
  return value == nullptr ? fallback : value->as_bool();
}

std::optional<std::string> text_option(const Value& options, const char* key,
                                       std::optional<std::string> fallback = std::nullopt) {
  const Value* value = options.find(key);
  if (value == nullptr) return fallback;
  return value->is_none() ? std::nullopt : std::optional(value->as_string());
}

Symbols strings_of(const Value& list) {
  Symbols strings;
  for (const Value& item : list.items()) strings.push_back(item.as_string());
  return strings;
}

void read_parse_options(const Value& options, Orthography& orthography) {
  for (const auto& [key, value] : options.entries()) {
    const std::string& name = key.as_string();
    if (name == "prefix") {
      orthography.prefix = strings_of(value);
    } else if (name == "postfix") {
      orthography.postfix = strings_of(value);
    } else if (name == "remove_chars") {
      orthography.remove_chars = value.as_string();
    } else if (name == "collapse_spaces") {
      orthography.collapse_spaces = value.as_bool();
    } else if (name == "final_strip") {
      orthography.final_strip = value.as_bool();
    } else if (name == "upper_case_special") {
      orthography.upper_case_special = value.as_bool();
    } else if (name == "word_based") {
      orthography.word_based = value.as_bool();
    } else if (name == "square_brackets_for_specials") {
      orthography.square_brackets_for_specials = value.as_bool();
    } else {
      throw value.error(fmt::format("LmDataset: unknown key '{}' of parse_orth_opts", name));
    }
  }
}

/// Lines of text as sequences of labels: words or characters.
class LmDataset : public CorpusDataset {
 public:
  LmDataset(const Value& options, SeqOrderOptions order) : CorpusDataset(std::move(order)) {
    read_vocabulary(options);
    read_symbol_options(options);
    read_corpus(options);
    read_tags(options);
  }

  std::map<std::string, KeyInfo> keys() const override {
    KeyInfo info{.dtype = DType::kInt32, .sparse = true, .dim = 0, .rank = 1, .labels = table_.symbols};
    info.dim = static_cast<int64_t>(table_.symbols.size());
    std::map<std::string, KeyInfo> keys{{"data", info}};
    if (delayed_) keys["delayed"] = info;
    return keys;
  }
  int64_t corpus_size() const override { return static_cast<int64_t>(lines_.size()); }
  std::string corpus_tag(int64_t index) const override {
    return tags_.empty() ? fmt::format("{}{}", tag_prefix_, index) : tags_[static_cast<size_t>(index)];
  }
  int64_t corpus_length(int64_t index, const std::string&) const override {
    return static_cast<int64_t>(labels_of(index).size());
  }
  /// RETURNN sorts by the bytes of the line.
  int64_t corpus_order_length(int64_t index) const override {
    return static_cast<int64_t>(lines_[static_cast<size_t>(index)].size);
  }
  Sequence corpus_load(int64_t index) override {
    Sequence sequence;
    sequence.tag = corpus_tag(index);
    std::vector<int32_t> labels = labels_of(index);
    const auto count = static_cast<int64_t>(labels.size());
    sequence.data["data"] = Tensor::of(labels, {count});
    if (delayed_) {
      if (labels.empty()) throw invalid(index, "it is empty, so it cannot be delayed");
      std::rotate(labels.begin(), labels.end() - 1, labels.end());
      labels.front() = *delayed_;
      sequence.data["delayed"] = Tensor::of(labels, {count});
    }
    return sequence;
  }

 protected:
  std::vector<int64_t> make_order(int epoch) override {
    std::vector<int64_t> order = CorpusDataset::make_order(epoch);
    if (!error_on_invalid_) {
      const size_t removed =
          std::erase_if(order, [this](int64_t index) { return !unknown_in(symbols_of(index)).empty(); });
      if (removed > 0) log_line(2, fmt::format("LmDataset: skipped {} sequences with unknown symbols", removed));
    }
    return order;
  }

 private:
  struct Line {
    size_t file;
    size_t begin;
    size_t size;
  };

  void read_vocabulary(const Value& options) {
    const std::optional<Value> list = file_option(options, "orth_symbols_file");
    const std::optional<Value> map = file_option(options, "orth_symbols_map_file");
    if (list.has_value() == map.has_value()) {
      throw options.error("LmDataset needs either orth_symbols_file or orth_symbols_map_file");
    }
    table_ = list ? SymbolTable::from_list(*list) : SymbolTable::from_map(*map);
  }

  void read_symbol_options(const Value& options) {
    orthography_.word_based = flag(options, "word_based", false);
    word_end_ = orthography_.word_based ? std::nullopt : text_option(options, "word_end_symbol");
    if (word_end_ && word_end_->empty()) word_end_.reset();
    if (word_end_) orthography_.postfix.push_back(*word_end_);
    if (const auto end = text_option(options, "seq_end_symbol", "[END]")) orthography_.postfix.push_back(*end);
    if (const std::optional<Value> file = file_option(options, "orth_replace_map_file")) read_replacements(*file);
    if (word_end_) replaced_[" "] = {*word_end_};
    if (const Value* more = given(options, "parse_orth_opts")) read_parse_options(*more, orthography_);
    unknown_ = text_option(options, "unknown_symbol", "[UNKNOWN]");
    replace_unknown_ = flag(options, "auto_replace_unknown_symbol", false);
    error_on_invalid_ = flag(options, "error_on_invalid_seq", true);
    if (replace_unknown_ && unknown_ && !table_.labels.contains(*unknown_)) {
      throw options.error(fmt::format("LmDataset: unknown_symbol '{}' is not in the vocabulary", *unknown_));
    }
    if (!flag(options, "add_delayed_seq_data", false)) return;
    const std::string start = text_option(options, "delayed_seq_data_start_symbol", "[START]").value_or("");
    const auto found = table_.labels.find(start);
    if (found == table_.labels.end()) {
      throw options.error(fmt::format("LmDataset: delayed_seq_data_start_symbol '{}' is not in the vocabulary", start));
    }
    delayed_ = found->second;
  }

  void read_replacements(const Value& file) {
    Orthography plain;
    plain.word_based = orthography_.word_based;
    const std::string& path = file.as_string();
    const Json map = Json::parse(read_text_file(path), path);
    for (const auto& [symbol, by] : map.members()) replaced_[symbol] = plain.symbols(by.as_string());
  }

  void read_corpus(const Value& options) {
    std::optional<Value> files = file_option(options, "corpus_file");
    if (!files) throw options.error("LmDataset needs \"corpus_file\"");
    const bool skip_empty = flag(options, "skip_empty_lines", true);
    for (const Value& file : items_of(*files)) {
      add_file(file, skip_empty);
    }
    if (lines_.empty()) throw files->error("LmDataset: corpus_file has no lines");
  }

  /// RETURNN takes a plain text as it is, and strips the lines of a compressed one before it looks at their sizes.
  void add_file(const Value& file, bool skip_empty) {
    const std::string& path = file.as_string();
    texts_.push_back(read_text_file(path));
    const std::string& text = texts_.back();
    const size_t first = text.find_first_not_of(" \t\r\n");
    if (first != std::string::npos &&
        (text.compare(first, 5, "<?xml") == 0 || text.compare(first, 7, "<corpus") == 0)) {
      throw file.error(
          fmt::format("LmDataset: '{}' is XML; only text with a sequence on each line is supported", path));
    }
    const bool compressed = path.ends_with(".gz");
    for (size_t begin = 0; begin < text.size();) {
      const size_t newline = text.find('\n', begin);
      if (newline == std::string::npos && !compressed) {
        log_line(2, fmt::format("LmDataset: the last line of '{}' has no end and is left out, as in RETURNN", path));
        break;
      }
      const size_t end = std::min(newline, text.size());
      Line line{texts_.size() - 1, begin, end - begin};
      if (compressed) strip(text, line);
      if (line.size > 0 || !skip_empty) lines_.push_back(line);
      begin = end + 1;
    }
  }

  static void strip(const std::string& text, Line& line) {
    const std::string_view whole(text.data() + line.begin, line.size);
    const size_t first = std::min(whole.find_first_not_of(" \t\n\r\f\v"), whole.size());
    const size_t end = whole.find_last_not_of(" \t\n\r\f\v") + 1;
    line.begin += first;
    line.size = end > first ? end - first : 0;
  }

  void read_tags(const Value& options) {
    tag_prefix_ = text_option(options, "tag_prefix").value_or("line-");
    const Value* files = given(options, "seq_list_file");
    if (files == nullptr) return;
    for (const Value& file : items_of(*files)) {
      const Symbols tags = read_tag_list(file);
      tags_.insert(tags_.end(), tags.begin(), tags.end());
    }
    if (tags_.size() == lines_.size()) return;
    throw files->error(
        fmt::format("LmDataset: seq_list_file names {} sequences, the text has {} lines", tags_.size(), lines_.size()));
  }

  Symbols replaced(const Symbols& symbols) const {
    Symbols result;
    for (const std::string& symbol : symbols) {
      const auto found = replaced_.find(symbol);
      if (found == replaced_.end()) {
        result.push_back(symbol);
      } else {
        result.insert(result.end(), found->second.begin(), found->second.end());
      }
    }
    return result;
  }

  /// The first symbol that has no label, or "".
  std::string unknown_in(const Symbols& symbols) const {
    for (const std::string& symbol : symbols) {
      if (!table_.labels.contains(symbol)) return symbol.empty() ? " " : symbol;
    }
    return {};
  }

  Symbols symbols_of(int64_t index) const {
    const Line& line = lines_[static_cast<size_t>(index)];
    const std::string text = stripped(texts_[line.file].substr(line.begin, line.size));
    Symbols symbols = replaced(orthography_.parse(text));
    const std::string space = word_end_.value_or(" ");
    const auto doubled = [&space](const std::string& a, const std::string& b) { return a == space && b == space; };
    symbols.erase(std::unique(symbols.begin(), symbols.end(), doubled), symbols.end());
    if (!replace_unknown_) return symbols;
    Symbols known;
    for (std::string& symbol : symbols) {
      if (table_.labels.contains(symbol)) {
        known.push_back(std::move(symbol));
      } else if (unknown_) {
        known.push_back(*unknown_);
      }
    }
    return known;
  }

  std::vector<int32_t> labels_of(int64_t index) const {
    const Symbols symbols = symbols_of(index);
    std::vector<int32_t> labels;
    labels.reserve(symbols.size());
    for (const std::string& symbol : symbols) {
      const auto found = table_.labels.find(symbol);
      if (found == table_.labels.end()) {
        throw invalid(index, fmt::format("symbol '{}' is not in the vocabulary", symbol))
            .hint("\"auto_replace_unknown_symbol\": True, or \"error_on_invalid_seq\": False to leave it out");
      }
      labels.push_back(found->second);
    }
    return labels;
  }

  Error invalid(int64_t index, const std::string& what) const {
    return {ExitStatus::kMalformedInput, fmt::format("LmDataset: sequence '{}': {}", corpus_tag(index), what)};
  }

  SymbolTable table_;
  Orthography orthography_;
  std::optional<std::string> unknown_;
  std::optional<std::string> word_end_;
  std::map<std::string, Symbols> replaced_;
  bool replace_unknown_ = false;
  bool error_on_invalid_ = true;
  std::optional<int32_t> delayed_;  ///< label before the first of the key "delayed"
  std::vector<std::string> texts_;  ///< of each file
  std::vector<Line> lines_;
  std::vector<std::string> tags_;
  std::string tag_prefix_;
};

}  // namespace

std::unique_ptr<CorpusDataset> make_lm_dataset(const Value& options, const Config&, SeqOrderOptions order) {
  return std::make_unique<LmDataset>(options, std::move(order));
}

}  // namespace wende
