#include "dataset/hdf_corpus_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace wende {

namespace {

/// Files below this size are read at once: random access by sequence costs far more than memory.
constexpr int64_t kWholeFileBytes = int64_t{1} << 30;

using InfoClass = hdf5::DatasetInfo::Class;

}  // namespace

HdfCorpusFile::HdfCorpusFile(const std::string& path) : file_(hdf5::File::open(path)) {
  if (file_.exists("streams") && !file_.exists("seqLengths")) {
    throw malformed("this is the layout of NextGenHDFDataset or SiameseHDFDataset (/streams), which is not supported")
        .hint("RETURNN's tools/hdf_dump.py converts it to that of HDFDataset");
  }
  for (const char* object : {"seqTags", "seqLengths"}) {
    if (!file_.exists(object))
      throw malformed(fmt::format("/{} is missing, so this is no file for HDFDataset", object));
  }
  tags_ = file_.read_strings("seqTags");
  for (std::string& tag : tags_) tag.resize(std::min(tag.find('\0'), tag.size()));
  open_streams();
  read_lengths();
}

Error HdfCorpusFile::malformed(const std::string& what) const {
  return Error(ExitStatus::kMalformedInput, fmt::format("{}: {}", file_.path(), what));
}

void HdfCorpusFile::open_streams() {
  if (file_.exists("inputs")) add_stream("data", "inputs");
  if (file_.exists("targets/data")) {
    for (const std::string& key : file_.children("targets/data")) {
      if (key == "data" && streams_.contains("data")) throw malformed("'data' is both /inputs and a target");
      add_stream(key, "targets/data/" + key);
    }
  }
  if (streams_.empty()) throw malformed("neither /inputs nor /targets/data is there");
}

void HdfCorpusFile::add_stream(const std::string& key, const std::string& object) {
  const hdf5::DatasetInfo info = file_.info(object);
  if (info.cls == InfoClass::kString) return;
  if (info.cls == InfoClass::kOther) throw malformed(fmt::format("/{} holds neither numbers nor strings", object));
  if (info.shape.empty()) throw malformed(fmt::format("/{} is a single number, not a list", object));
  Stream stream;
  stream.object = object;
  stream.shape = info.shape;
  stream.info.dtype = info.cls == InfoClass::kInt ? DType::kInt32 : DType::kFloat32;
  stream.info.rank = static_cast<int>(info.shape.size());
  stream.info.dim = info.shape.size() > 1 ? info.shape.back() : 1;
  int ndim = stream.info.rank;
  if (key == "data" && object == "inputs") {
    if (ndim == 1 && file_.has_attribute("/", "inputPattSize")) {
      stream.info.dim = file_.int_attribute("/", "inputPattSize");
    }
  } else {
    ndim = read_size_attribute(key, stream);
  }
  stream.info.sparse = info.cls == InfoClass::kInt && ndim <= 1;
  const std::string labels = object == "inputs" ? "labels" : "targets/labels/" + key;
  if (file_.exists(labels) && !file_.is_group(labels)) {
    stream.info.labels = file_.read_strings(labels);
    for (std::string& label : stream.info.labels) label.resize(std::min(label.find('\0'), label.size()));
  }
  streams_.emplace(key, std::move(stream));
}

int HdfCorpusFile::read_size_attribute(const std::string& key, Stream& stream) const {
  if (!file_.exists("targets/size") || !file_.has_attribute("targets/size", key)) return stream.info.rank;
  const std::vector<int64_t> size = file_.ints_attribute("targets/size", key);
  if (size.empty() || size.size() > 2) {
    throw malformed(fmt::format("attribute '{}' of /targets/size has {} numbers instead of 1 or 2", key, size.size()));
  }
  stream.info.dim = size[0];
  return size.size() == 2 ? static_cast<int>(size[1]) : stream.info.rank;
}

void HdfCorpusFile::read_lengths() {
  const std::vector<int64_t> shape = file_.info("seqLengths").shape;
  const int64_t sequences = static_cast<int64_t>(tags_.size());
  if (shape.size() != 2) {
    throw malformed(fmt::format("/seqLengths has {} axes; it must be [sequences, keys]", shape.size()));
  }
  if (shape[0] != sequences) {
    throw malformed(fmt::format("/seqTags has {} sequences, /seqLengths {}", sequences, shape[0]));
  }
  std::vector<std::string> columns;
  if (file_.exists("inputs")) columns.emplace_back("data");
  if (file_.exists("targets/data")) {
    std::vector<std::string> targets = file_.children("targets/data");
    std::sort(targets.begin(), targets.end());
    columns.insert(columns.end(), targets.begin(), targets.end());
  } else {
    columns.emplace_back();  // without targets, RETURNN's writers still keep a column for "classes"
  }
  if (shape[1] != static_cast<int64_t>(columns.size())) {
    throw malformed(fmt::format("/seqLengths has {} columns, but there are {} keys (/inputs and the {} targets)",
                                shape[1], columns.size(), columns.size() - (file_.exists("inputs") ? 1 : 0)));
  }
  const std::vector<int64_t> lengths = file_.read("seqLengths", DType::kInt64).to_vector<int64_t>();
  for (size_t column = 0; column < columns.size(); ++column) {
    const auto found = streams_.find(columns[column]);
    if (found == streams_.end()) continue;
    std::vector<int64_t>& starts = found->second.starts;
    starts.reserve(tags_.size() + 1);
    starts.push_back(0);
    for (size_t i = 0; i < tags_.size(); ++i) {
      const int64_t length = lengths[i * columns.size() + column];
      if (length < 0) throw malformed(fmt::format("sequence '{}' has a negative length, {}", tags_[i], length));
      starts.push_back(starts.back() + length);
    }
    if (starts.back() != found->second.shape[0]) {
      throw malformed(fmt::format("/seqLengths says {} frames for '{}', but /{} has {}", starts.back(), columns[column],
                                  found->second.object, found->second.shape[0]));
    }
  }
}

int64_t HdfCorpusFile::length(int64_t sequence, const std::string& key) const {
  const std::vector<int64_t>& starts = streams_.at(key).starts;
  return starts[static_cast<size_t>(sequence) + 1] - starts[static_cast<size_t>(sequence)];
}

void HdfCorpusFile::keep_only(const std::vector<std::string>& keys) {
  std::erase_if(streams_,
                [&](const auto& item) { return std::find(keys.begin(), keys.end(), item.first) == keys.end(); });
}

bool HdfCorpusFile::cached_whole() const {
  int64_t bytes = 0;
  for (const auto& [key, stream] : streams_) {
    int64_t elements = 1;
    for (int64_t size : stream.shape) elements *= size;
    bytes += elements * static_cast<int64_t>(size_of(stream.info.dtype));
  }
  return bytes < kWholeFileBytes;
}

Tensor HdfCorpusFile::load(int64_t sequence, const std::string& key) {
  Stream& stream = streams_.at(key);
  const int64_t begin = stream.starts[static_cast<size_t>(sequence)];
  const int64_t end = stream.starts[static_cast<size_t>(sequence) + 1];
  if (!stream.cache.defined() || stream.cache.elements() == 0) {
    if (cached_whole()) stream.cache = file_.read(stream.object, stream.info.dtype);
  }
  Tensor values = stream.cache.defined() && stream.cache.elements() > 0
                      ? stream.cache.sliced(0, begin, end)
                      : file_.read_rows(stream.object, stream.info.dtype, begin, end);
  check_values(values, stream, key, sequence);
  return values;
}

void HdfCorpusFile::read_samples() const {
  constexpr double kSmallBytes = 16e6;
  constexpr int64_t kSamples = 16;
  for (const auto& [key, stream] : streams_) {
    double bytes = static_cast<double>(size_of(stream.info.dtype));
    for (const int64_t size : stream.shape) bytes *= static_cast<double>(size);
    if (bytes <= kSmallBytes) {
      file_.read(stream.object, stream.info.dtype);
      continue;
    }
    for (int64_t i = 0; i < kSamples; ++i) {
      const int64_t sequence = i * (sequence_count() - 1) / (kSamples - 1);
      const auto at = static_cast<size_t>(sequence);
      file_.read_rows(stream.object, stream.info.dtype, stream.starts[at], stream.starts[at + 1]);
    }
  }
}

void HdfCorpusFile::check_values(const Tensor& values, const Stream& stream, const std::string& key,
                                 int64_t sequence) const {
  auto place = [&](int64_t element) {
    const int64_t row = values.elements() / std::max<int64_t>(values.dim(0), 1);
    return fmt::format("sequence '{}' ({}), key '{}', frame {}", tag(sequence), sequence, key,
                       element / std::max<int64_t>(row, 1));
  };
  if (stream.info.sparse && stream.info.dim > 1) {
    const int32_t* labels = values.data<int32_t>();
    for (int64_t i = 0; i < values.elements(); ++i) {
      if (labels[i] >= 0 && labels[i] < stream.info.dim) continue;
      throw malformed(
          fmt::format("{}: label {} is not below the number of classes, {}", place(i), labels[i], stream.info.dim));
    }
  }
  if (stream.info.dtype != DType::kFloat32) return;
  const float* numbers = values.data<float>();
  for (int64_t i = 0; i < values.elements(); ++i) {
    if (std::isnan(numbers[i])) throw malformed(fmt::format("{}: the value is not a number (NaN)", place(i)));
  }
}

}  // namespace wende
