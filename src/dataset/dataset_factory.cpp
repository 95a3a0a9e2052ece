#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "dataset/corpus_dataset.h"

namespace wende {

namespace {

const std::vector<std::string> kCommonOptions = {
    "class",           "name",           "seq_ordering",         "fixed_random_seed",      "random_seed_offset",
    "partition_epoch", "repeat_epoch",   "seq_list_filter_file", "unique_seq_tags",        "estimated_num_seqs",
    "chunking",        "min_chunk_size", "cache_byte_size",      "seq_order_seq_lens_file"};

/// Options of RETURNN that change the data, each with the value that leaves them as they are.
const std::map<std::string, int64_t> kNeutralOnly = {
    {"window", 1}, {"context_window", 1}, {"shuffle_frames_of_nseqs", 0}, {"chunking_variance", 0}};

const std::set<std::string> kUnsupported = {"AnythingDataset",
                                            "BlissDataset",
                                            "ChunkShuffleDataset",
                                            "ClusteringDataset",
                                            "CombinedDataset",
                                            "ConcatDataset",
                                            "ConcatSeqsDataset",
                                            "ConfusionNetworkDataset",
                                            "DatasetWithTimeContext",
                                            "DistributeFilesDataset",
                                            "DummyDatasetMultipleDataKeys",
                                            "DummyDatasetMultipleSequenceLength",
                                            "DummyGenericDataset",
                                            "Enwik8Corpus",
                                            "ExternSprintDataset",
                                            "FromListDataset",
                                            "HuggingFaceDataset",
                                            "LibriSpeechCorpus",
                                            "MapDatasetWrapper",
                                            "MegatronDataset",
                                            "MultiEpochDataset",
                                            "MultiProcDataset",
                                            "NemoSpeechDataset",
                                            "NextGenHDFDataset",
                                            "NltkTimitDataset",
                                            "NumpyDumpDataset",
                                            "OggZipDataset",
                                            "PostprocessingDataset",
                                            "RawWavDataset",
                                            "SiameseHDFDataset",
                                            "SprintCacheDataset",
                                            "SprintDatasetBase",
                                            "StereoDataset",
                                            "StereoHdfDataset",
                                            "TaskNumberBaseConvertDataset",
                                            "TaskVariableAssignmentDataset",
                                            "TextDictDataset",
                                            "TimitDataset",
                                            "TranslationDataset",
                                            "TranslationFactorsDataset",
                                            "VariableDataset"};

void check_neutral(const Value& value, const std::string& name, int64_t neutral) {
  if (value.is_none() || (value.is_number() && value.as_float() == static_cast<double>(neutral))) return;
  throw value.error(fmt::format("dataset option '{}' = {} is not supported", name, value.repr()));
}

void check_options(const Value& options, const DatasetClass& cls, const std::string& class_name) {
  std::vector<std::string> known = kCommonOptions;
  known.insert(known.end(), cls.accepted.begin(), cls.accepted.end());
  ErrorCollector errors;
  for (const auto& [key, value] : options.entries()) {
    errors.run([&, &key = key, &value = value] {
      const std::string& name = key.as_string();
      if (std::find(known.begin(), known.end(), name) != known.end()) return;
      const auto neutral = kNeutralOnly.find(name);
      if (neutral != kNeutralOnly.end()) return check_neutral(value, name, neutral->second);
      throw key.error(fmt::format("unknown option '{}' of dataset class {}", name, class_name))
          .at(value.span(), value.path())
          .hint(did_you_mean(name, known));
    });
  }
  errors.throw_if_any();
}

/// "a.hdf,b.hdf" or "ClassName:option=value,...", as RETURNN reads a string.
Value options_from_string(const Value& text, const Config& config) {
  const std::string& string = text.as_string();
  auto placed = [&](const Value& value) { return value.placed(text.span(), text.path()); };
  if (string.starts_with("config:")) {
    const Value* found = config.find(string.substr(7));
    if (found == nullptr) throw text.error(fmt::format("'{}': the config has no such variable", string));
    return *found;
  }
  const size_t colon = string.find(':');
  if (colon != std::string::npos) {
    const Value parsed = evaluate_expression("dict(" + string.substr(colon + 1) + ")", text.span(), {});
    return placed(parsed.with("class", placed(Value::of(string.substr(0, colon)))));
  }
  std::vector<Value> files;
  for (size_t begin = 0; begin < string.size();) {
    const size_t end = std::min(string.find(',', begin), string.size());
    if (end > begin) files.push_back(placed(Value::of(string.substr(begin, end - begin))));
    begin = end + 1;
  }
  return placed(Value::dict({{Value::of("class"), placed(Value::of("HDFDataset"))},
                             {Value::of("files"), placed(Value::list(std::move(files)))}}));
}

Value as_options(const Value& given, const Config& config) {
  if (given.is_callable()) return as_options(given.as_callable().call({}, {}), config);
  if (given.is_string()) return as_options(options_from_string(given, config), config);
  if (given.is_dict()) return given;
  throw given.error(fmt::format("a dataset must be a dict with \"class\", or file names; this is {}", given.repr()));
}

const DatasetClass& class_of(const Value& options) {
  const Value* name = options.find("class");
  if (name == nullptr) throw options.error("a dataset dict needs \"class\", such as \"HDFDataset\"");
  const auto found = dataset_classes().find(name->as_string());
  if (found != dataset_classes().end()) return found->second;
  if (kUnsupported.contains(name->as_string())) {
    Error error = name->error(fmt::format("dataset class '{}' of RETURNN is not supported", name->as_string()));
    throw error.hint("RETURNN's tools/hdf_dump.py writes any of its datasets as a file for HDFDataset");
  }
  Error error = name->error(fmt::format("unknown dataset class '{}'", name->as_string()));
  throw error.hint(did_you_mean(name->as_string(), dataset_class_names()));
}

}  // namespace

const std::map<std::string, DatasetClass>& dataset_classes() {
  static const std::map<std::string, DatasetClass> classes = {
      {"HDFDataset", {{"files", "use_cache_manager"}, make_hdf_dataset}},
      {"LmDataset",
       {{"corpus_file",
         "skip_empty_lines",
         "seq_list_file",
         "orth_symbols_file",
         "orth_symbols_map_file",
         "orth_replace_map_file",
         "word_based",
         "word_end_symbol",
         "seq_end_symbol",
         "unknown_symbol",
         "parse_orth_opts",
         "auto_replace_unknown_symbol",
         "log_auto_replace_unknown_symbols",
         "log_skipped_seqs",
         "error_on_invalid_seq",
         "add_delayed_seq_data",
         "delayed_seq_data_start_symbol",
         "dtype",
         "tag_prefix",
         "use_cache_manager"},
        make_lm_dataset}},
      {"MetaDataset",
       {{"datasets", "data_map", "seq_list_file", "seq_order_control_dataset", "seq_lens_file", "data_dims",
         "data_dtypes"},
        make_meta_dataset}},
      {"StaticDataset", {{"data", "target_list", "input_dim", "output_dim"}, make_static_dataset}},
      {"Task12AXDataset", {{"num_seqs"}, make_task_12ax}},
      {"TaskEpisodicCopyDataset", {{"num_seqs"}, make_task_episodic_copy}},
      {"TaskXmlModelingDataset", {{"num_seqs", "limit_stack_depth"}, make_task_xml_modeling}},
      {"CopyTaskDataset",
       {{"num_seqs", "nsymbols", "minlen", "maxlen", "minlen_epoch_factor", "maxlen_epoch_factor"}, make_copy_task}},
      {"DummyDataset",
       {{"num_seqs", "input_dim", "output_dim", "seq_len", "input_max_value", "input_shift", "input_scale"},
        make_dummy_dataset}},
  };
  return classes;
}

std::vector<std::string> dataset_class_names() {
  std::vector<std::string> names;
  for (const auto& [name, cls] : dataset_classes()) names.push_back(name);
  return names;
}

std::unique_ptr<CorpusDataset> make_corpus_dataset(const Value& given, const Config& config, const std::string& role) {
  const Value options = as_options(given, config);
  const DatasetClass& cls = class_of(options);
  check_options(options, cls, options.find("class")->as_string());
  return cls.make(options, config, SeqOrderOptions::from_value(options, config, role));
}

void check_dataset_options(const Value& given, const Config& config) {
  const Value options = as_options(given, config);
  const DatasetClass& cls = class_of(options);
  check_options(options, cls, options.find("class")->as_string());
}

std::unique_ptr<Dataset> make_dataset(const Value& options, const Config& config, const std::string& role) {
  return make_corpus_dataset(options, config, role);
}

}  // namespace wende
