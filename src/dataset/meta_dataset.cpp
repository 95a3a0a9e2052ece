#include <fmt/core.h>

#include <unordered_map>

#include "dataset/corpus_dataset.h"

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
    for (const char* unsupported : {"seq_list_file", "seq_lens_file"}) {
      const Value* value = options.find(unsupported);
      if (value != nullptr && !value->is_none()) {
        throw value->error(
            fmt::format("MetaDataset: {} is not supported; all datasets must have the same tags", unsupported));
      }
    }
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
  int64_t corpus_size() const override { return parts_.at(main_).dataset->corpus_size(); }
  std::string corpus_tag(int64_t index) const override { return parts_.at(main_).dataset->corpus_tag(index); }
  int64_t corpus_length(int64_t index, const std::string& key) const override {
    const auto& [name, part_key] = data_map_.at(key);
    const Part& part = parts_.at(name);
    return part.dataset->corpus_length(part.index(index), part_key);
  }
  int64_t corpus_order_length(int64_t index) const override {
    return parts_.at(main_).dataset->corpus_order_length(index);
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

  void join(const std::string& name, Part& part) {
    if (name == main_) return;
    const CorpusDataset& main = *parts_.at(main_).dataset;
    std::unordered_map<std::string, int64_t> by_tag;
    for (int64_t i = 0; i < part.dataset->corpus_size(); ++i) by_tag[part.dataset->corpus_tag(i)] = i;
    for (int64_t i = 0; i < main.corpus_size(); ++i) {
      const auto found = by_tag.find(main.corpus_tag(i));
      if (found == by_tag.end()) {
        throw Error(ExitStatus::kMalformedInput,
                    fmt::format("MetaDataset: sequence '{}' of dataset '{}' is not in dataset '{}'", main.corpus_tag(i),
                                main_, name));
      }
      part.indices.push_back(found->second);
    }
  }

  std::map<std::string, std::pair<std::string, std::string>> data_map_;
  std::map<std::string, Part> parts_;
  std::string control_, main_;
  std::map<std::string, KeyInfo> keys_;
};

}  // namespace

std::unique_ptr<CorpusDataset> make_meta_dataset(const Value& options, const Config& config, SeqOrderOptions order) {
  return std::make_unique<MetaDataset>(options, config, std::move(order));
}

}  // namespace wende
