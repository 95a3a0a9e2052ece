#include <fmt/core.h>
#include <glob.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "dataset/corpus_check.h"
#include "dataset/corpus_dataset.h"
#include "dataset/hdf_corpus_file.h"

namespace wende {

namespace {

/// Names as given, or what a pattern like "train.*.hdf" stands for (sorted).
std::vector<std::string> expand_files(const Value& files) {
  std::vector<Value> given;
  if (files.is_string()) {
    given.push_back(files);
  } else {
    given = files.items();
  }
  std::vector<std::string> paths;
  for (const Value& item : given) {
    const std::string& name = item.as_string();
    if (name.find_first_of("*?[") == std::string::npos || std::filesystem::exists(name)) {
      if (!std::filesystem::exists(name)) {
        std::error_code code;
        throw Error(ExitStatus::kMissingInput, fmt::format("no such file: '{}' (the current folder is {})", name,
                                                           std::filesystem::current_path(code).string()))
            .at(item.span(), item.path());
      }
      if (std::filesystem::is_directory(name)) {
        throw Error(ExitStatus::kMalformedInput, fmt::format("'{}' is a directory, not an HDF5 file", name))
            .at(item.span(), item.path())
            .hint("all files in it: " + (std::filesystem::path(name) / "*.hdf").string());
      }
      paths.push_back(name);
      continue;
    }
    glob_t found{};
    const int code = ::glob(name.c_str(), 0, nullptr, &found);
    for (size_t i = 0; code == 0 && i < found.gl_pathc; ++i) paths.emplace_back(found.gl_pathv[i]);
    ::globfree(&found);
    if (code != 0) {
      throw Error(ExitStatus::kMissingInput, fmt::format("no file matches '{}'", name)).at(item.span(), item.path());
    }
  }
  if (paths.empty()) throw files.error("HDFDataset: no files given");
  return paths;
}

/// The dtype of dense numbers: what extern_data declares, else float32. Labels are always int32.
DType wanted_dtype(const Config& config, const std::string& key, const KeyInfo& info) {
  if (info.sparse) return DType::kInt32;
  const Value* extern_data = config.find("extern_data");
  if (extern_data == nullptr || !extern_data->is_dict()) return DType::kFloat32;
  const Value* entry = extern_data->find(key);
  if (entry == nullptr || !entry->is_dict()) return DType::kFloat32;
  const Value* dtype = entry->find("dtype");
  const Value* sparse = entry->find("sparse");
  if (sparse != nullptr && sparse->kind() == Value::Kind::kBool && sparse->as_bool()) return DType::kInt32;
  const bool integer = dtype != nullptr && dtype->is_string() && dtype->as_string().find("int") != std::string::npos;
  return integer ? DType::kInt32 : DType::kFloat32;
}

class HdfDataset : public CorpusDataset {
 public:
  HdfDataset(const Value& options, const Config& config, SeqOrderOptions order) : CorpusDataset(std::move(order)) {
    const Value* files = options.find("files");
    if (files == nullptr || files->is_none()) throw options.error("HDFDataset needs \"files\"");
    const std::vector<std::string> paths = expand_files(*files);
    check_corpus_files(paths);
    for (const std::string& path : paths) add_file(path);
    for (auto& [key, info] : keys_) {
      info.dtype = wanted_dtype(config, key, info);
      for (HdfCorpusFile& file : files_) file.set_dtype(key, info.dtype);
    }
    // Sequences are sorted by the first column of the lengths: the inputs, or else the first target.
    order_key_ = keys_.contains("data") ? "data" : keys_.begin()->first;
  }

  std::map<std::string, KeyInfo> keys() const override { return keys_; }
  int64_t corpus_size() const override { return file_starts_.back(); }
  std::string corpus_tag(int64_t index) const override {
    const auto [file, sequence] = place(index);
    return files_[file].tag(sequence);
  }
  int64_t corpus_length(int64_t index, const std::string& key) const override {
    if (!keys_.contains(key)) throw internal_error(fmt::format("no key '{}' in {}", key, files_.front().path()));
    const auto [file, sequence] = place(index);
    return files_[file].length(sequence, key);
  }
  int64_t corpus_order_length(int64_t index) const override { return corpus_length(index, order_key_); }
  Sequence corpus_load(int64_t index) override {
    const auto [file, sequence] = place(index);
    Sequence result;
    result.tag = files_[file].tag(sequence);
    for (const auto& [key, info] : keys_) result.data[key] = files_[file].load(sequence, key);
    return result;
  }

 private:
  void add_file(const std::string& path) {
    HdfCorpusFile& file = files_.emplace_back(path);
    file_starts_.push_back(file_starts_.back() + file.sequence_count());
    if (files_.size() == 1) {
      for (const auto& [key, stream] : file.streams()) keys_[key] = stream.info;
      return;
    }
    std::vector<std::string> names;
    for (const auto& [key, info] : keys_) {
      names.push_back(key);
      const auto found = file.streams().find(key);
      const std::string& first = files_.front().path();
      if (found == file.streams().end()) {
        throw Error(ExitStatus::kMalformedInput, fmt::format("{}: no key '{}', which {} has", path, key, first));
      }
      const KeyInfo& other = found->second.info;
      if (other.dim != info.dim || other.rank != info.rank || other.sparse != info.sparse) {
        throw Error(ExitStatus::kMalformedInput,
                    fmt::format("{}: key '{}' has dimension {} and {} axes, but {} and {} in {}", path, key, other.dim,
                                other.rank, info.dim, info.rank, first));
      }
    }
    file.keep_only(names);
  }

  std::pair<size_t, int64_t> place(int64_t index) const {
    const auto above = std::upper_bound(file_starts_.begin(), file_starts_.end(), index);
    const size_t file = static_cast<size_t>(above - file_starts_.begin()) - 1;
    return {file, index - file_starts_[file]};
  }

  std::vector<HdfCorpusFile> files_;
  std::vector<int64_t> file_starts_ = {0};
  std::map<std::string, KeyInfo> keys_;
  std::string order_key_;
};

}  // namespace

std::unique_ptr<CorpusDataset> make_hdf_dataset(const Value& options, const Config& config, SeqOrderOptions order) {
  return std::make_unique<HdfDataset>(options, config, std::move(order));
}

}  // namespace wende
