#include <fmt/core.h>

#include <unordered_map>

#include "base/json.h"
#include "dataset/corpus_dataset.h"
#include "dataset/tag_list.h"
#include "io/text_file.h"

namespace wende {

namespace {

/// Keys of several datasets, joined by sequence tag.
class MetaDataset : public CorpusDataset {
 public:
  MetaDataset(const Value& options, const Config& config, SeqOrderOptions order) : CorpusDataset(std::move(order)) {
    read_data_map(options);
    const Value* datasets = options.find("datasets");
    if (datasets == nullptr) throw options.error("MetaDataset needs \"datasets\"");
    const Value* control = options.find("seq_order_control_dataset");
    if (control != nullptr && !control->is_none()) {
      control_ = control->as_string();
    } else if (!data_map_.contains("data")) {
      throw options.error("MetaDataset needs seq_order_control_dataset, or \"data\" in data_map");
    }
    main_ = control_.empty() ? data_map_.at("data").first : control_;
    for (const auto& [key, source] : data_map_) add_part(*datasets, source.first, config);
    if (!parts_.contains(main_)) add_part(*datasets, main_, config);
    read_lists(options);
    read_lengths(options);
    for (auto& [name, part] : parts_) join(name, part);
    for (const auto& [key, source] : data_map_) {
      const std::map<std::string, KeyInfo> infos = parts_.at(source.first).dataset->keys();
      const auto found = infos.find(source.second);
      if (found == infos.end()) {
        std::vector<std::string> names;
        for (const auto& [name, info] : infos) names.push_back(name);
        Error error = options.error(
            fmt::format("data_map['{}']: dataset '{}' has no key '{}'", key, source.first, source.second));
        throw error.hint(did_you_mean(source.second, names));
      }
      keys_[key] = found->second;
    }
  }

  std::map<std::string, KeyInfo> keys() const override { return keys_; }
  int64_t corpus_size() const override {
    return control_.empty() && !lists_.empty() ? static_cast<int64_t>(lists_.at(main_).size())
                                               : parts_.at(main_).dataset->corpus_size();
  }
  std::string corpus_tag(int64_t index) const override {
    return lists_.empty() ? parts_.at(main_).dataset->corpus_tag(index) : lists_.at(main_)[static_cast<size_t>(index)];
  }
  int64_t corpus_length(int64_t index, const std::string& key) const override {
    const auto& [name, part_key] = data_map_.at(key);
    const Part& part = parts_.at(name);
    return part.dataset->corpus_length(part.index(index), part_key);
  }
  int64_t corpus_order_length(int64_t index) const override {
    if (!lengths_.empty()) return lengths_[static_cast<size_t>(index)];
    const Part& part = parts_.at(main_);
    return part.dataset->corpus_order_length(part.index(index));
  }
  Sequence corpus_load(int64_t index) override {
    std::map<std::string, Sequence> loaded;
    Sequence result;
    result.tag = corpus_tag(index);
    for (const auto& [key, source] : data_map_) {
      Part& part = parts_.at(source.first);
      auto found = loaded.find(source.first);
      if (found == loaded.end()) {
        found = loaded.emplace(source.first, part.dataset->corpus_load(part.index(index))).first;
      }
      result.data[key] = found->second.data.at(source.second);
    }
    return result;
  }
  void set_epoch(int epoch) override {
    CorpusDataset::set_epoch(epoch);
    for (auto& [name, part] : parts_) part.dataset->set_epoch(epoch);
  }

 protected:
  std::vector<int64_t> make_order(int epoch) override {
    if (control_.empty()) return CorpusDataset::make_order(epoch);
    CorpusDataset& control = *parts_.at(control_).dataset;
    control.init_epoch(epoch);
    return control.order();
  }

 private:
  struct Part {
    std::unique_ptr<CorpusDataset> dataset;
    std::vector<int64_t> indices;  ///< corpus index here of each corpus index of the main part; empty: the same

    int64_t index(int64_t main) const { return indices.empty() ? main : indices[static_cast<size_t>(main)]; }
  };

  void read_data_map(const Value& options) {
    const Value* map = options.find("data_map");
    if (map == nullptr || map->entries().empty()) throw options.error("MetaDataset needs \"data_map\"");
    for (const auto& [key, value] : map->entries()) {
      if (!value.is_sequence() || value.items().size() != 2) {
        throw value.error(fmt::format("data_map['{}'] must be (dataset, key), not {}", key.as_string(), value.repr()));
      }
      data_map_[key.as_string()] = {value.items()[0].as_string(), value.items()[1].as_string()};
    }
  }

  void add_part(const Value& datasets, const std::string& name, const Config& config) {
    if (parts_.contains(name)) return;
    const Value* options = datasets.find(name);
    if (options == nullptr) {
      Error error = datasets.error(fmt::format("MetaDataset: no dataset '{}' in \"datasets\"", name));
      throw error.hint(did_you_mean(name, datasets.keys()));
    }
    Value given = *options;
    if (given.is_dict() && given.find("random_seed_offset") == nullptr) {
      given = given.with("random_seed_offset", Value::of(options_.random_seed_offset));
    }
    parts_[name].dataset = make_corpus_dataset(given, config, "");
  }

  /// seq_list_file: what the sequences are called in each dataset. One file, or one for each dataset.
  void read_lists(const Value& options) {
    const Value* file = options.find("seq_list_file");
    if (file == nullptr || file->is_none() || (file->is_string() && file->as_string().empty())) return;
    std::map<std::string, std::vector<std::string>> read;
    if (!file->is_dict()) read = read_tag_lists(*file);
    for (const auto& [name, part] : parts_) {
      const Value* own = file->is_dict() ? file->find(name) : nullptr;
      const auto found = read.contains(name) ? read.find(name) : read.find("");
      if (own == nullptr && found == read.end()) {
        throw file->error(fmt::format("MetaDataset: seq_list_file has no list for dataset '{}'", name));
      }
      lists_[name] = own != nullptr ? read_tag_list(*own) : found->second;
    }
    const size_t count = lists_.at(main_).size();
    for (const auto& [name, list] : lists_) {
      if (list.size() == count) continue;
      throw file->error(fmt::format("MetaDataset: seq_list_file names {} sequences of dataset '{}', but {} of '{}'",
                                    list.size(), name, count, main_));
    }
    if (!control_.empty()) check_order_of_control(*file);
  }

  /// The controlling dataset's own tags in its own order: its indices choose lines of all lists.
  void check_order_of_control(const Value& file) const {
    const CorpusDataset& control = *parts_.at(control_).dataset;
    const std::vector<std::string>& list = lists_.at(control_);
    for (int64_t i = 0; i < control.corpus_size(); ++i) {
      const bool listed = i < static_cast<int64_t>(list.size());
      if (listed && list[static_cast<size_t>(i)] == control.corpus_tag(i)) continue;
      throw file.error(fmt::format("MetaDataset: sequence {} of dataset '{}' is '{}', seq_list_file says {}", i,
                                   control_, control.corpus_tag(i),
                                   listed ? "'" + list[static_cast<size_t>(i)] + "'" : "nothing"));
    }
  }

  /// seq_lens_file: JSON, tag -> key -> length. Those of "data" order the sequences.
  void read_lengths(const Value& options) {
    const Value* file = options.find("seq_lens_file");
    if (file == nullptr || file->is_none() || file->as_string().empty() || !control_.empty()) return;
    const Json lengths = Json::parse(read_text_file(file->as_string()), file->as_string());
    std::unordered_map<std::string, int64_t> by_tag;
    for (const auto& [tag, of_keys] : lengths.members()) by_tag[tag] = of_keys.at("data").as_int();
    for (int64_t i = 0; i < corpus_size(); ++i) {
      const auto found = by_tag.find(corpus_tag(i));
      if (found == by_tag.end()) {
        throw file->error(fmt::format("MetaDataset: seq_lens_file has no length of sequence '{}'", corpus_tag(i)));
      }
      lengths_.push_back(found->second);
    }
  }

  /// Finds the main part's sequences in another. Of a list without a controlling dataset, also in the main part.
  void join(const std::string& name, Part& part) {
    if (name == main_ && (lists_.empty() || !control_.empty())) return;
    const CorpusDataset& main = *parts_.at(main_).dataset;
    std::unordered_map<std::string, int64_t> by_tag;
    for (int64_t i = 0; i < part.dataset->corpus_size(); ++i) by_tag[part.dataset->corpus_tag(i)] = i;
    for (int64_t i = 0; i < corpus_size(); ++i) {
      const std::string tag = lists_.empty() ? main.corpus_tag(i) : lists_.at(name)[static_cast<size_t>(i)];
      const auto found = by_tag.find(tag);
      if (found == by_tag.end()) {
        throw Error(ExitStatus::kMalformedInput,
                    fmt::format("MetaDataset: sequence '{}' of {} is not in dataset '{}'", tag,
                                lists_.empty() ? "dataset '" + main_ + "'" : "seq_list_file", name));
      }
      part.indices.push_back(found->second);
    }
  }

  std::map<std::string, std::pair<std::string, std::string>> data_map_;
  std::map<std::string, Part> parts_;
  std::string control_, main_;
  std::map<std::string, std::vector<std::string>> lists_;  ///< by dataset; empty: all have the tags of the main one
  std::vector<int64_t> lengths_;                           ///< of seq_lens_file; empty: those of the main dataset
  std::map<std::string, KeyInfo> keys_;
};

}  // namespace

std::unique_ptr<CorpusDataset> make_meta_dataset(const Value& options, const Config& config, SeqOrderOptions order) {
  return std::make_unique<MetaDataset>(options, config, std::move(order));
}

}  // namespace wende
